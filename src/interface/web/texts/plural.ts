/** "1 domain", "2 domains": the form that a language wants for a number, with the number as it writes it. */
export function plurals(language: string) {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (count: number, one: string, other: string): string =>
    `${numbers.format(count)} ${rules.select(count) === "one" ? one : other}`;
}

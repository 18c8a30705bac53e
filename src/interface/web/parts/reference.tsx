/** "RFC 7208 §4.6.4", with the way to the text where it is an RFC. */
export function Reference({ text }: { readonly text: string }) {
  const [, number, section] = /^RFC (\d+)(?: §([\w.]+))?/.exec(text) ?? [];
  if (number === undefined) return <span className="reference">{text}</span>;
  const href = `https://www.rfc-editor.org/rfc/rfc${number}${section ? `#section-${section}` : ""}`;
  return (
    <a className="reference" href={href} rel="noreferrer" target="_blank">
      {text}
    </a>
  );
}

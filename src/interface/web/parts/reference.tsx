/** "RFC 7208 §4.6.4", with the way to the text where it is an RFC. */
export function Reference({ text }: { readonly text: string }) {
  const [, number, section] = /^RFC (\d+)(?: §([\w.]+))?/.exec(text) ?? [];
  const isAddress = text.startsWith("https://") && URL.canParse(text);
  if (number === undefined && !isAddress) return <span className="reference">{text}</span>;
  const href = isAddress
    ? text
    : `https://www.rfc-editor.org/rfc/rfc${number}${section ? `#section-${section}` : ""}`;
  return (
    <a className="reference" href={href} rel="noreferrer" target="_blank">
      {isAddress ? new URL(text).host : text}
    </a>
  );
}

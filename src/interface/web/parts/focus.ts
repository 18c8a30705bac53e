/** Where the focus goes when what had it is gone: to a heading, which is read aloud. */

export function focusHeading(around: Element | null): void {
  const heading = around?.querySelector<HTMLElement>("h1, h2");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus();
}

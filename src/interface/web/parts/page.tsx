/** The frame of a page: its title, its heading, and where the focus goes when it comes. */
import { type ReactNode, useEffect, useRef } from "react";
import { useTexts } from "../texts/texts.tsx";

let isFirstPage = true;

interface PageProps {
  readonly title: string;
  /** In place of the title as text, where the heading shows more. */
  readonly heading?: ReactNode;
  /** Beside the heading: what can be done here. */
  readonly actions?: ReactNode;
  readonly lead?: ReactNode;
  readonly width?: "narrow" | "wide";
  readonly children: ReactNode;
}

export function Page({ title, heading, actions, lead, width = "wide", children }: PageProps) {
  const { app } = useTexts();
  const ref = useRef<HTMLHeadingElement>(null);
  // Who follows a link hears where it led; who opens the first page is where the browser puts them.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another title is another page
  useEffect(() => {
    if (!isFirstPage) ref.current?.focus({ preventScroll: true });
    isFirstPage = false;
  }, [title]);
  return (
    <div className={`page page-${width}`}>
      <title>{`${title} · ${app.name}`}</title>
      <div className="page-head">
        <h1 ref={ref} tabIndex={-1}>
          {heading ?? title}
        </h1>
        {actions && <div className="actions">{actions}</div>}
      </div>
      {lead && <p className="lead">{lead}</p>}
      {children}
    </div>
  );
}

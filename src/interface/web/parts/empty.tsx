/** Where there is nothing yet: what it would be, and what to do to have it. */
import type { ReactNode } from "react";

export function Empty({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      <div>{children}</div>
    </div>
  );
}

/** A field of a form, of one line or several or to choose from: its name, its hint, and what is wrong with it, said to everybody. */
import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from "react";

interface Named {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly fault?: string | undefined;
  /** In the reader's language; the server's own words are English. */
  readonly isOwnFault?: boolean;
}

export function Field({
  label,
  hint,
  fault,
  isOwnFault = false,
  ...input
}: Named & Omit<InputHTMLAttributes<HTMLInputElement>, "id">) {
  return (
    <Frame label={label} hint={hint} fault={fault} isOwnFault={isOwnFault}>
      {(said) => <input {...input} {...said} />}
    </Frame>
  );
}

export function TextField({
  label,
  hint,
  fault,
  isOwnFault = false,
  ...area
}: Named & Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "id">) {
  return (
    <Frame label={label} hint={hint} fault={fault} isOwnFault={isOwnFault}>
      {(said) => <textarea className="text" spellCheck={false} {...area} {...said} />}
    </Frame>
  );
}

export function SelectField({
  label,
  hint,
  fault,
  children,
  ...select
}: Named & Omit<SelectHTMLAttributes<HTMLSelectElement>, "id">) {
  return (
    <Frame label={label} hint={hint} fault={fault}>
      {(said) => (
        <select {...select} {...said}>
          {children}
        </select>
      )}
    </Frame>
  );
}

interface Said {
  readonly id: string;
  readonly "aria-describedby"?: string;
  readonly "aria-invalid"?: true;
}

function Frame({
  label,
  hint,
  fault,
  isOwnFault,
  children,
}: Named & { readonly children: (said: Said) => ReactNode }) {
  const id = useId();
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {hint && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {children({
        id,
        ...(described && { "aria-describedby": described }),
        ...(fault && { "aria-invalid": true }),
      })}
      {fault && (
        <p className="fault" id={`${id}-fault`} role="alert" {...(!isOwnFault && { lang: "en" })}>
          {fault}
        </p>
      )}
    </div>
  );
}

/** A field of a form: its name, its hint, and what is wrong with it, said to everybody. */
import { type InputHTMLAttributes, useId } from "react";

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "id"> {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly fault?: string | undefined;
}

export function Field({ label, hint, fault, ...input }: FieldProps) {
  const id = useId();
  const said = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {hint && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <input
        {...input}
        id={id}
        {...(said && { "aria-describedby": said })}
        {...(fault && { "aria-invalid": true })}
      />
      {fault && (
        <p className="fault" id={`${id}-fault`} role="alert" lang="en">
          {fault}
        </p>
      )}
    </div>
  );
}

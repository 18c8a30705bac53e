/** A field for a text of several lines: its name, its hint, and what is wrong with it. */
import { type TextareaHTMLAttributes, useId } from "react";

interface TextFieldProps extends Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "id"> {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly fault?: string | undefined;
}

export function TextField({ label, hint, fault, ...area }: TextFieldProps) {
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
      <textarea
        className="text"
        spellCheck={false}
        {...area}
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

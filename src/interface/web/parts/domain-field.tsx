/** A domain of one's own, chosen while one types. */
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useId } from "react";
import { someDomainsQuery } from "../api/tools.ts";
import { Field } from "./field.tsx";

interface DomainFieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly required?: boolean;
}

export function DomainField({ label, hint, value, onValue, required = true }: DomainFieldProps) {
  const id = useId();
  const some = useQuery(someDomainsQuery(useDeferredValue(value.trim())));
  return (
    <>
      <Field
        label={label}
        hint={hint}
        name="domain"
        value={value}
        onChange={({ target }) => onValue(target.value)}
        list={id}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        required={required}
      />
      <datalist id={id}>
        {some.data?.domains.map(({ domain }) => (
          <option key={domain} value={domain} />
        ))}
      </datalist>
    </>
  );
}

/** A record as the fields of a form, each to be copied on its own. */
import type { DomainRecord } from "../../api/domains.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { useTexts } from "../../texts/texts.tsx";

export interface FormField {
  readonly key: string;
  /** In the host's own words; ours where absent. */
  readonly label?: string;
  readonly value: string;
}

/** As most forms ask. */
export function usualFields({
  type,
  name,
  priority,
  value,
  ttlSeconds,
}: DomainRecord["form"]): readonly FormField[] {
  return [
    { key: "type", value: type },
    { key: "name", value: name },
    ...(priority === undefined ? [] : [{ key: "priority", value: String(priority) }]),
    { key: "value", value },
    { key: "ttl", value: String(ttlSeconds) },
  ];
}

export function RecordFields({
  fields,
  zoneText,
}: {
  readonly fields: readonly FormField[];
  readonly zoneText: string;
}) {
  const { records: t } = useTexts();
  const words: Readonly<Record<string, string>> = t.fields;
  return (
    <dl className="fields">
      {fields.map(({ key, label = words[key] ?? key, value }) => (
        <div key={key} className={`field-${key}`}>
          <dt>{label}</dt>
          <dd>
            <code>{value === "" ? t.empty : value}</code>
            {key !== "type" && value !== "" && <CopyButton text={value} what={label} />}
          </dd>
        </div>
      ))}
      <div className="field-line">
        <dt>{t.zoneLine}</dt>
        <dd>
          <CopyButton text={zoneText} what={t.zoneLine} />
        </dd>
      </div>
    </dl>
  );
}

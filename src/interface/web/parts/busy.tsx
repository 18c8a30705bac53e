/** Something is under way. */
import { useTexts } from "../texts/texts.tsx";

/** `progress` where it is known how far it is. */
export function Busy({
  text,
  progress,
}: {
  readonly text: string;
  readonly progress?: { readonly done: number; readonly of: number } | undefined;
}) {
  return (
    <div className="busy" role="status">
      <progress {...(progress && { value: progress.done, max: progress.of })} aria-label={text} />
      <span>{text}</span>
    </div>
  );
}

export function Loading() {
  const { app } = useTexts();
  return <Busy text={app.loading} />;
}

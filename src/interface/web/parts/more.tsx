/** The next page of a list, where there is one. */
import { useTexts } from "../texts/texts.tsx";

export function More({
  list: { hasNextPage, isFetchingNextPage, fetchNextPage },
}: {
  readonly list: {
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly fetchNextPage: () => unknown;
  };
}) {
  const { history } = useTexts();
  if (!hasNextPage) return null;
  return (
    <button type="button" className="more" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
      {history.more}
    </button>
  );
}

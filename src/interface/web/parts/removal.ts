/** What cannot be brought back is hidden at once, and removed once nobody has undone it. */
import { useEffect, useRef, useState } from "react";
import { postpone } from "../api/postponed.ts";
import { isProblem } from "../api/problem.ts";
import { tell } from "./toast.tsx";

interface Removals {
  readonly isRemoved: (id: string) => boolean;
  readonly remove: (id: string, text: string) => void;
}

/** `send` removes what has that id, also while the page is being left; `read` shows what is there then. */
export function useRemovals(send: (id: string) => Promise<unknown>, read: () => Promise<unknown>): Removals {
  const [removed, setRemoved] = useState<readonly string[]>([]);
  const open = useRef(new Set<() => Promise<void>>());
  useEffect(() => {
    const left = open.current;
    return () => {
      for (const now of left) void now();
    };
  }, []);
  const show = (id: string) => setRemoved((before) => before.filter((each) => each !== id));
  const remove = (id: string, text: string) => {
    setRemoved((before) => [...before, id]);
    const { now, never } = postpone(async () => {
      takeAway();
      try {
        await send(id);
      } catch (error) {
        if (!isProblem(error, "not-found")) tell((error as Error).message);
      }
      await read();
      settle();
    });
    const settle = () => {
      open.current.delete(now);
      show(id);
    };
    open.current.add(now);
    const takeAway = tell(
      text,
      () => {
        never();
        settle();
      },
      () => void now(),
    );
  };
  return { isRemoved: (id) => removed.includes(id), remove };
}

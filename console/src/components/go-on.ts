import { useLocation } from "preact-iso/router";

/**
 * Returns how an action leads to its next page: not if it fails, or if the reader has gone to
 * another one before it ended.
 */
export function useGoOn() {
  const { route } = useLocation();
  return async (action: () => Promise<string | null>): Promise<void> => {
    const begun = location.pathname + location.search;
    const next = await action();
    if (next !== null && location.pathname + location.search === begun) route(next);
  };
}

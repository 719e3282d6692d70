import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** The foot of a dialog that only shows something. */
export function DialogClose() {
  return (
    <form method="dialog" class="dialog-actions">
      <button type="submit" class="button primary">
        Close
      </button>
    </form>
  );
}

/** A modal dialog: the native element keeps the focus inside, closes on Escape, and gives the focus back where it came from. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before the page is drawn: the next key is the dialog's.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // An element that is removed while it is open gives no focus back.
    return () => shown?.close();
  }, []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="dialog-title">
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

import { dismissToast, toast } from "../store/toast.ts";

export function ToastLine() {
  const shown = toast.value;
  return (
    <div class="toast-place" role="status" aria-live="polite">
      {shown === null ? null : (
        <div class={`toast ${shown.tone}`}>
          <span>{shown.text}</span>
          {shown.href === undefined ? null : <a href={shown.href}>Open</a>}
          <button type="button" class="button quiet" aria-label="Close" onClick={dismissToast}>
            ×
          </button>
        </div>
      )}
    </div>
  );
}

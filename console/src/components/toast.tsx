import { dismissToast, type Toast, toast } from "../store/toast.ts";

export function ToastLine() {
  const shown = toast.value;
  return (
    <div class="toast-place" role="status" aria-live="polite">
      {shown === null ? null : (
        <div class={`toast ${shown.tone}`}>
          <span>{shown.text}</span>
          {shown.href === undefined ? null : <a href={shown.href}>Open</a>}
          {shown.action === undefined ? null : (
            <button type="button" class="button plain" onClick={() => act(shown.action)}>
              {shown.action.word}
            </button>
          )}
          <button type="button" class="button quiet" aria-label="Close" onClick={dismissToast}>
            ×
          </button>
        </div>
      )}
    </div>
  );
}

function act(action: Toast["action"]): void {
  dismissToast();
  action?.act();
}

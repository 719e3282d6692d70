import { useEffect, useRef, useState } from "preact/hooks";
import type { Schemas } from "../../api/client.ts";
import { Card } from "../page.tsx";

const WIDTHS = ["phone", "desktop"] as const;
/** A mail may be long; the frame then scrolls. */
const MAX_HEIGHT = 900;

/** The mail as recipients will see it: in a page of its own without an origin, in which no script of the mail can run. */
export function MailPreview({ mail, isOld }: { mail: Schemas["PreviewMail"]; isOld: boolean }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const latest = useRef(mail.html);
  latest.current = mail.html;
  const [width, setWidth] = useState<(typeof WIDTHS)[number]>("desktop");
  const [height, setHeight] = useState(0);
  const show = () => frame.current?.contentWindow?.postMessage(latest.current, "*");
  useEffect(() => {
    const onMessage = ({ source, data }: MessageEvent) => {
      if (source !== frame.current?.contentWindow || typeof data?.mailHeight !== "number") return;
      if (data.mailHeight === 0) show();
      else setHeight(Math.min(MAX_HEIGHT, data.mailHeight));
    };
    window.addEventListener("message", onMessage);
    return () => window.removeEventListener("message", onMessage);
  }, []);
  useEffect(show, [mail.html, width]);
  return (
    <Card
      title="Mail"
      aside={
        <fieldset class="switch">
          <legend class="visually-hidden">Width of the mail</legend>
          {WIDTHS.map((one) => (
            <button
              key={one}
              type="button"
              class="switch-choice"
              aria-pressed={one === width}
              onClick={() => setWidth(one)}
            >
              {one}
            </button>
          ))}
        </fieldset>
      }
    >
      <p class="card-text small">
        <span class="soft">Subject</span> <strong>{mail.subject}</strong>
        {isOld ? <span class="soft">, from before the error</span> : null}
      </p>
      <iframe
        ref={frame}
        class={`mail ${width}`}
        title="The mail as recipients will see it"
        src="/console/mail-frame"
        sandbox="allow-scripts"
        height={Math.max(160, height)}
      />
    </Card>
  );
}

import { render } from "preact";
import { App } from "./app.tsx";
import { startClock } from "./store/clock.ts";
import { startPreferences } from "./store/preferences.ts";
import { openSession } from "./store/session.ts";

startPreferences();
startClock();
void openSession();
render(<App />, document.getElementById("app") as HTMLElement);

"use strict";
// What textual.js does not know: each tab has a name, under which the server keeps its app when the connection is lost.

const NAME = "deskloop-tab";
const ENDED = 4000; // the app was left
const TAKEN = 4001; // another tab took it up
const BROKEN = 4002; // the app ended by itself
const AGAIN = 2000; // milliseconds between two tries

const terminal = document.getElementById("terminal");
const socketAddress = terminal.dataset.sessionWebsocketUrl;

function tabName() {
  let name = sessionStorage.getItem(NAME);
  if (!name) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    name = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem(NAME, name);
  }
  return name;
}

function tell(text, button) {
  const [paragraph, pressed] = document.getElementById("word").children;
  document.body.classList.add("-closed");
  paragraph.textContent = text;
  pressed.hidden = !button;
  pressed.textContent = button || "";
  pressed.onclick = () => location.reload();
}

// Ask until the server answers; the page then begins again, and the server knows its app by the tab's name.
async function takeUpAgain() {
  tell("The connection was lost. Everything said is kept, and the desk is taken up again as soon as it can be reached…");
  for (;;) {
    try {
      const answer = await fetch("/ws/" + tabName(), { cache: "no-store" });
      if (answer.status === 401) {
        tell("The server was started anew. Open the link that it printed, or give the password again.", "Try again");
        return;
      }
      if (answer.status === 426) {
        location.reload();
        return;
      }
      tell(await answer.text());
    } catch {
      // not reachable yet
    }
    await new Promise((done) => setTimeout(done, AGAIN));
  }
}

function closed(event) {
  if (event.code === ENDED) {
    sessionStorage.removeItem(NAME);
    tell("You left the desk.", "Open it again");
  } else if (event.code === BROKEN) {
    sessionStorage.removeItem(NAME);
    tell("The app ended unexpectedly. Everything said is kept; details are in logs/app.log of the desk.", "Open it again");
  } else if (event.code === TAKEN) {
    tell("The desk is open in another tab or window now.", "Take it up here");
  } else {
    takeUpAgain();
  }
}

// textual.js opens the connection when everything is loaded; it tells nobody why it was closed.
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(address) {
    super(address);
    this.addEventListener("close", closed);
  }
};
terminal.dataset.sessionWebsocketUrl = socketAddress + "/" + tabName();

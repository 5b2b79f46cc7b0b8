// The WebSocket to the server: gestures out, parts in, and a new connection with back-off when it is lost.
import type { FromServer } from "../model/protocol";

const FIRST_WAIT = 400;
const LONGEST_WAIT = 8000;
const PATIENCE = 20_000;

export class GestureError extends Error {}

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: GestureError) => void;
  timer: number;
}

export interface Ears {
  onOpen(): void;
  onLost(): void;
  onSaid(said: FromServer): void;
}

export class Wire {
  private socket: WebSocket | null = null;
  private wait = FIRST_WAIT;
  private retry: number | null = null;
  private lastId = 0;
  private readonly waiting = new Map<number, Waiting>();

  constructor(
    private readonly url: string,
    private readonly ears: Ears,
  ) {}

  connect = (): void => {
    if (this.retry !== null) clearTimeout(this.retry);
    this.retry = null;
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.wait = FIRST_WAIT;
      this.ears.onOpen();
    };
    socket.onmessage = (event) => this.hear(String(event.data));
    socket.onclose = () => this.lost(socket);
  };

  /** Send a gesture. Rejects with a sentence for the person who made it. */
  send(gesture: { do: string } & Record<string, unknown>): Promise<unknown> {
    const socket = this.socket;
    if (!socket || socket.readyState !== WebSocket.OPEN) {
      return Promise.reject(new GestureError("The demo is not connected right now. Try again when it is back."));
    }
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => {
        this.waiting.delete(id);
        reject(new GestureError("The demo did not answer in time."));
      }, PATIENCE);
      this.waiting.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ id, ...gesture }));
    });
  }

  private hear(text: string): void {
    const said = JSON.parse(text) as FromServer;
    if (said.type === "did") this.answered(said);
    else this.ears.onSaid(said);
  }

  private answered(did: { id: number; ok: boolean; result?: unknown; error?: string }): void {
    const waiting = this.waiting.get(did.id);
    if (!waiting) return;
    this.waiting.delete(did.id);
    clearTimeout(waiting.timer);
    if (did.ok) waiting.resolve(did.result);
    else waiting.reject(new GestureError(did.error ?? "That did not work."));
  }

  private lost(socket: WebSocket): void {
    if (socket !== this.socket) return;
    this.socket = null;
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new GestureError("The connection was lost before the demo answered."));
    }
    this.waiting.clear();
    this.ears.onLost();
    this.retry = window.setTimeout(this.connect, this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }
}

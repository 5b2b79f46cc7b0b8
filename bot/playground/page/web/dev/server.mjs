// Serves the built page with a mock of the demo behind it, for looking at the page alone: `npm run dev -- 8700`.
// It answers gestures plausibly and keeps web01 moving. It is no test double: tests run against the real demo.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import * as scene from "./scene.mjs";

const port = Number(process.argv[2] ?? 8700);
const root = new URL("../../static/", import.meta.url);
const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript", css: "text/css", svg: "image/svg+xml" };
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const http = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://x");
  if (request.method === "POST") {
    for await (const _ of request);
    say(searchParams.get("channel"), { user: searchParams.get("user"), text: "", files: [{ id: "F9", name: "vpxa.log", size: 48213, mimetype: "text/plain", filetype: "log" }] }, searchParams.get("thread_ts"));
    response.end("{}");
    return;
  }
  const path = pathname === "/" ? "index.html" : pathname.slice(1);
  try {
    const body = await readFile(new URL(path, root));
    response.writeHead(200, { "content-type": TYPES[path.split(".").pop()] ?? "text/plain", "content-security-policy": CSP });
    response.end(body);
  } catch {
    response.writeHead(404).end("nothing here");
  }
});

const pages = new Set();
const server = new WebSocketServer({ server: http, path: "/ui/socket" });

const put = (page, part, value) => page.socket.send(JSON.stringify({ type: "put", part, value }));
const everywhere = (part, value) => pages.forEach((page) => put(page, part, value));
const show = (page) => {
  const { channel, thread } = page.look;
  put(page, "channel", { id: channel, messages: scene.channels[channel] ?? [] });
  const parent = (scene.channels[channel] ?? []).find((one) => one.ts === thread);
  put(page, "thread", parent ? { channel, ts: thread, messages: [parent, ...(scene.threads[thread] ?? [])] } : null);
  put(page, "home", scene.home);
  put(page, "views", page.views);
};
const showAll = () => pages.forEach(show);

function say(channel, message, thread) {
  const said = { ts: (Date.now() / 1000).toFixed(6), ...message };
  if (thread) (scene.threads[thread] ??= []).push({ ...said, thread_ts: thread });
  else (scene.channels[channel] ??= []).push(said);
  showAll();
}

const openView = (page, view) => {
  page.views = [...page.views, { id: `V${page.views.length}${Date.now()}`, view, errors: {}, loading: false }];
  show(page);
};

const GESTURES = {
  look(page, look) {
    page.look = look;
    show(page);
  },
  post: (page, { channel, text, thread_ts }) => say(channel, { user: page.look.user, text }, thread_ts),
  command(page, { channel, line }) {
    if (/^\/coldmigrate\s*$/.test(line)) openView(page, scene.modal);
    else say(channel, { user: "USLACKBOT", ephemeral: true, text: `I would do \`${line}\` now.` });
    return { error: null, text: "" };
  },
  react(page, { channel, ts, name }) {
    const message = [...(scene.channels[channel] ?? []), ...Object.values(scene.threads).flat()].find((one) => one.ts === ts);
    const held = (message.reactions ??= []).find((one) => one.name === name);
    if (held) held.count = (held.users = held.users.includes(page.look.user) ? held.users.filter((id) => id !== page.look.user) : [...held.users, page.look.user]).length;
    else message.reactions.push({ name, users: [page.look.user], count: 1 });
    message.reactions = message.reactions.filter((one) => one.count);
    showAll();
  },
  shortcut: (page) => openView(page, scene.modal),
  message_shortcut: (page) => openView(page, scene.modal),
  options: (_page, { query }) => ({
    options: scene.world.sites.flatMap((site) => site.vms).filter((vm) => vm.name.includes(query)).map((vm) => ({ text: { type: "plain_text", text: vm.name }, value: vm.name })),
  }),
  submit_view(page, { view_id, values }) {
    const view = page.views.find((one) => one.id === view_id);
    if (values.vm.vm !== "web01") view.errors = { vm: `${values.vm.vm} is moving already. Choose another one.` };
    else page.views = page.views.filter((one) => one !== view);
    show(page);
  },
  close_view(page, { view_id }) {
    page.views = page.views.filter((one) => one.id !== view_id);
    show(page);
  },
  world(_page, { order, args }) {
    const { world } = scene;
    if (order === "link") Object.assign(world.links[0], args.loss === undefined ? {} : { loss: args.loss }, args.rate ? { rate: args.rate } : {}, args.rtt ? { rtt_ms: args.rtt * 1000 } : {});
    if (order === "block") {
      const others = world.links[0].blocked.filter((one) => one.from !== args.from);
      world.links[0].blocked = args.blocked ? [...others, args] : others;
    }
    if (order === "host") Object.assign(world.sites.flatMap((site) => site.hosts).find((host) => host.name === args.host), args.connected === undefined ? {} : { connected: args.connected });
    if (order === "fill") world.sites.flatMap((site) => site.datastores).find((one) => one.name === args.datastore).free = args.free;
    if (order === "vcenter") world.vcenters.find((one) => one.name === args.vcenter).up = args.up;
    if (order === "advance") world.advanced_s += args.seconds;
    if (order === "kill") Object.assign(world.roles.find((one) => one.name === args.role), { state: "starting", pid: null });
    everywhere("world", world);
  },
};

server.on("connection", (socket) => {
  const page = { socket, look: {}, views: [] };
  pages.add(page);
  for (const part of ["workspace", "world", "tally", "traffic"]) put(page, part, scene[part]);
  socket.on("message", (text) => {
    const { id, do: what, ...rest } = JSON.parse(text);
    socket.send(JSON.stringify({ type: "did", id, ok: true, result: GESTURES[what]?.(page, rest) ?? null }));
  });
  socket.on("close", () => pages.delete(page));
});

setInterval(() => {
  const { world } = scene;
  world.now = new Date(Date.now() + world.advanced_s * 1000).toISOString();
  const [move] = world.moves;
  move.percent = move.percent >= 99 ? 3 : move.percent + 1;
  for (const role of world.roles) if (role.state === "starting") Object.assign(role, { state: "running", pid: 5000, restarts: role.restarts + 1 });
  scene.channels.C0MIGRATE1.find((one) => one.ts === scene.running).blocks = scene.runningCard(move.percent);
  everywhere("world", world);
  showAll();
}, 2000);

http.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/`));

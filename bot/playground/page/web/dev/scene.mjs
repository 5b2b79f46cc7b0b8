// A realistic moment of the demo, for drawing the page without the demo. Nothing here is shipped.

const GiB = 1024 ** 3;
const start = Date.now() / 1000 - 4200;
let counter = 0;
export const ts = (after) => `${(start + after).toFixed(0)}.${String(++counter).padStart(6, "0")}`;

export const APP = { id: "A0COLDAPP1", name: "coldmigrate", user_id: "U0COLDBOT1", bot_id: "B0COLDBOT1" };
const [ALICE, BOB, CAROL, MALLORY] = ["U0ALICE001", "U0BOB00001", "U0CAROL001", "U0MALLORY1"];
const EVERYBODY = [ALICE, BOB, CAROL, MALLORY, APP.user_id];

const plain = (text) => ({ type: "plain_text", text, emoji: false });
const mrkdwn = (text) => ({ type: "mrkdwn", text });
const bot = { user: APP.user_id, bot_id: APP.bot_id };

const rich = (heading, text, lines) => ({
  type: "rich_text",
  elements: [
    { type: "rich_text_section", elements: [{ type: "text", text: heading, style: { bold: true } }, { type: "text", text: `\n${text}` }] },
    ...(lines ? [{ type: "rich_text_preformatted", elements: [{ type: "text", text: lines.join("\n") }] }] : []),
  ],
});

const byline = (job, user) => ({
  type: "rich_text",
  elements: [{ type: "rich_text_section", elements: [{ type: "text", text: `Job ${job}, asked for by ` }, { type: "user", user_id: user }] }],
});

const facts = (pairs) => ({ type: "section", fields: pairs.map(([label, value]) => plain(`${label}\n${value}`)) });

const button = (label, action, value, style, confirm) => ({
  type: "button", text: plain(label), action_id: action, value, ...(style ? { style } : {}), ...(confirm ? { confirm } : {}),
});

const APPROVE = { title: plain("Start this migration?"), text: plain("app01 to site2: the copy starts as soon as its link is free."), confirm: plain("Start it"), deny: plain("Not now") };
const CANCEL = { title: plain("Cancel this migration?"), text: plain("web01 to site2: what was copied so far is thrown away."), confirm: plain("Cancel it"), deny: plain("Keep it"), style: "danger" };

const numbered = (blocks) => blocks.map((block, index) => ({ block_id: `b${index}`, ...block }));

const runningCard = (percent) => numbered([
  { type: "header", text: plain("web01 to site2") },
  { type: "section", text: plain("📦 Copying") },
  { type: "section", text: plain(`${"▰".repeat(Math.floor(percent / 5))}${"▱".repeat(20 - Math.floor(percent / 5))} ${percent} %\n${(8.3 * percent / 100).toFixed(1)} of 8.3 GiB, 96 MB/s, 1 min left`) },
  facts([["From", "site1: esx-01.site1.example.net, ds-c1-01"], ["To", "site2: esx-02.site2.example.net, ds-c2-01"], ["To copy", "8.3 GiB in 2 disks"], ["Folder", "Migrated"], ["Networks", "dvpg-app to dvpg-app-dr"]]),
  byline("k3v8q1zd", ALICE),
  { type: "actions", elements: [button("Cancel", "cm.cancel", "k3v8q1zd", "danger", CANCEL)] },
]);

const planCard = numbered([
  { type: "header", text: plain("app01 to site2") },
  { type: "section", text: plain("📋 Planned") },
  facts([["From", "site1: esx-02.site1.example.net, ds-c1-01"], ["To", "site2: esx-01.site2.example.net, ds-c2-01"], ["To copy", "640 MiB in 1 disk"], ["Folder", "Migrated"]]),
  { type: "rich_text", elements: [{ type: "rich_text_list", style: "bullet", elements: [
    { type: "rich_text_section", elements: [{ type: "text", text: "⚠️ Mind: ", style: { bold: true } }, { type: "text", text: "the VM is powered on and will be shut down first. Lifted by: --shutdown." }] },
    { type: "rich_text_section", elements: [{ type: "text", text: "ℹ️ Note: ", style: { bold: true } }, { type: "text", text: "two snapshots are copied with it." }] },
  ] }] },
  { type: "section", text: plain("Nothing moves before somebody approves. The plan expires after an hour.") },
  byline("p7x2m4aa", BOB),
  { type: "actions", elements: [button("Approve", "cm.approve", "p7x2m4aa f1", "primary", APPROVE), button("Cancel", "cm.cancel", "p7x2m4aa", "danger", CANCEL),
    { type: "overflow", action_id: "cm.more", options: [{ text: plain("Diagnose"), value: "diagnose" }, { text: plain("Evidence pack"), value: "pack" }] }] },
]);

const verdict = numbered([
  { type: "section", text: mrkdwn("*Packet loss between the sites* (60 %, from the log alone). The copy died at *63 %*; the VM is intact on `esx-01.site1`.") },
  rich("Lines that prove it", "vpxa of the source host, 3 of 214 lines", [
    "2026-11-23T06:31:45.288Z info vpxa[2098712] [Originator@6876 sub=vpxaNfc opID=cm-k3v8q1zd-a1-5b] NfcNetTcpWrite: bWritten: -1",
    "2026-11-23T06:31:45.289Z error vpxa[2098712] NfcFssrvr_DiskOpen: requested 262144, sent only -1 bytes </script><img src=x onerror=alert(1)>",
    "2026-11-23T06:31:45.301Z warning vpxa[2098712] NfcSendMessage failed: NFC_NETWORK_ERROR",
  ]),
  { type: "data_table", caption: "Measured from both ends", rows: [
    ["Where", "Loss", "RTT"].map((text) => ({ type: "raw_text", text })),
    [{ type: "raw_text", text: "site1 → site2" }, { type: "raw_number", value: 4.1, text: "4.1 %" }, { type: "raw_text", text: "82 ms" }],
    [{ type: "raw_text", text: "site2 → site1" }, { type: "raw_number", value: 0, text: "0 %" }, { type: "raw_text", text: "80 ms" }],
  ] },
  { type: "section", text: plain("What may help"), accessory: { type: "static_select", action_id: "cm.workaround", placeholder: plain("Choose a workaround"), options: ["Copy by SSH with gunzip", "Copy by HTTPS lease", "VMware Converter"].map((text, index) => ({ text: plain(text), value: `w${index}` })) } },
  { type: "context", elements: [mrkdwn("Known from <https://kb.example.com/340170|KB 340170>; `<javascript:alert(1)|not a link>`"), plain("*not bold* :fire: <@U0ALICE001>")] },
]);

export const workspace = {
  name: "Demo",
  app: APP,
  commands: [
    { command: "/coldmigrate", description: "Move a VM to another site, powered off, over the WAN", usage_hint: "<vm> <site> [--dry-run] | list | show | cancel | retry | help" },
    { command: "/diagnose", description: "Say why a copy died, and show the lines that prove it", usage_hint: "<vm, host, task or opID> [--since 2h]" },
    { command: "/nfcalerts", description: "Alerts of new NFC failures", usage_hint: "here | off | list | mute <host> 2h" },
  ],
  shortcuts: [
    { name: "Migrate a VM", type: "global", callback_id: "migrate", description: "Choose a VM and a site" },
    { name: "Diagnose this log", type: "message", callback_id: "diagnose", description: "Read the log in this message" },
  ],
  users: [
    { id: ALICE, name: "alice", real_name: "Alice Example", is_bot: false, groups: ["vm-ops"] },
    { id: BOB, name: "bob", real_name: "Bob Example", is_bot: false, groups: ["vm-ops"] },
    { id: CAROL, name: "carol", real_name: "Carol Example", is_bot: false, groups: ["vm-ops"] },
    { id: MALLORY, name: "mallory", real_name: "Mallory Example", is_bot: false, groups: [] },
    { id: APP.user_id, name: "coldmigrate", real_name: "", is_bot: true, groups: [] },
  ],
  channels: [
    { id: "C0MIGRATE1", name: "migrations", is_private: false, is_archived: false, topic: "Moving VMs between site1 and site2. Ask before Friday evening.", members: EVERYBODY, last_ts: null },
    { id: "C0NFCALERT", name: "nfc-alerts", is_private: false, is_archived: false, topic: "New NFC failures", members: EVERYBODY, last_ts: ts(4000) },
    { id: "C0ONCALL01", name: "on-call", is_private: true, is_archived: false, topic: "", members: [ALICE, BOB], last_ts: null },
    { id: "C0RANDOM01", name: "random", is_private: false, is_archived: false, topic: "", members: EVERYBODY, last_ts: null },
    ...[ALICE, BOB, CAROL, MALLORY].map((id) => ({ id: `D${id.slice(1)}`, name: "coldmigrate", is_private: true, is_archived: false, is_im: true, topic: "", members: [id, APP.user_id], last_ts: null })),
  ],
  groups: [{ id: "S0VMOPS001", handle: "vm-ops", name: "VM operations" }],
};

const failed = ts(300);
const running = ts(3900);
const old = ts(-88000);

export const threads = {
  [failed]: [
    { ...bot, ts: ts(620), thread_ts: failed, text: "verdict", blocks: verdict },
    { ...bot, ts: ts(640), thread_ts: failed, text: "A retry starts at 0 %: 41 minutes at the last good rate.", edited: { ts: ts(650) } },
    { user: CAROL, ts: ts(900), thread_ts: failed, text: "The provider says a line card in <#C0RANDOM01> is flapping 😬 `show int te0/1`" , files: [{ id: "F1", name: "vpxa \u202egol.exe.log.gz", size: 184320, mimetype: "application/gzip", filetype: "gz" }] },
  ],
  [running]: [{ ...bot, ts: ts(3960), thread_ts: running, text: "The copy runs: task-10646 on esx-01.site1." }],
};

export const channels = {
  C0MIGRATE1: [
    { user: BOB, ts: old, text: "Maintenance window for site1 is *tonight*, 20:00 to 06:00. <!subteam^S0VMOPS001> please have the small ones moved before." },
    { user: ALICE, ts: ts(-87900), text: "On it." },
    { user: ALICE, ts: ts(-87890), text: "Starting with web01, then <@U0BOB00001> takes app01", reactions: [{ name: "+1", users: [BOB, CAROL], count: 2 }, { name: "rocket", users: [ALICE], count: 1 }] },
    { ...bot, ts: failed, text: "db01 to site2: failed", reply_count: 3, reply_users: [APP.user_id, CAROL], latest_reply: ts(900), blocks: numbered([
      { type: "header", text: plain("db01 to site2") },
      { type: "section", text: plain("❌ Failed") },
      { type: "section", text: plain(`${"▰".repeat(12)}${"▱".repeat(8)} 63 %\n968 MiB of 1.5 GiB\nNFC errors in the hosts' logs so far: 14`) },
      facts([["From", "site1: esx-01.site1.example.net, ds-c1-01"], ["To", "site2: esx-01.site2.example.net, ds-c2-01"]]),
      { type: "section", text: plain("The copy died of packet loss on the way. The VM is intact at the source; 1.1 GB is left over at the destination.") },
      byline("d0b1f2aa", ALICE),
      { type: "actions", elements: [button("Retry", "cm.retry", "d0b1f2aa"), button("Power on at source", "cm.power", "d0b1f2aa", "primary"), button("Diagnose", "cm.diagnose", "d0b1f2aa")] },
    ]) },
    { user: MALLORY, ts: ts(1200), text: "<javascript:alert(document.cookie)|click me> </script><script>alert(1)</script> <img src=x onerror=alert(1)> <https://example.com|a real link> and mailto <mailto:a@example.com|mail>" },
    { ...bot, ts: ts(2400), text: "app01 to site2: planned", blocks: planCard },
    { ...bot, ts: running, text: "web01 to site2: copying, 47 %", reply_count: 1, reply_users: [APP.user_id], latest_reply: ts(3960), blocks: runningCard(47) },
    { user: "USLACKBOT", ts: ts(4100), ephemeral: true, text: "I could not find a VM called `wbe01`. Did you mean *web01*? Type `/coldmigrate help` for what you may do." },
  ],
  C0NFCALERT: [], C0ONCALL01: [], C0RANDOM01: [],
};
export { runningCard, running };

export const home = {
  type: "home",
  blocks: numbered([
    { type: "header", text: plain("Your migrations") },
    { type: "section", text: mrkdwn("*web01* to site2 — copying, 47 %"), accessory: button("Show", "home.show", "k3v8q1zd") },
    { type: "section", text: mrkdwn("*app01* to site2 — planned, waits for approval"), accessory: button("Approve", "home.approve", "p7x2m4aa", "primary", APPROVE) },
    { type: "divider" },
    { type: "header", text: plain("Links") },
    { type: "data_table", caption: "Measured in the last hour", rows: [
      ["Link", "Rate", "Loss", "Held"].map((text) => ({ type: "raw_text", text })),
      ["site1 – site2", "640 Mbit/s", "0.4 %", "no"].map((text) => ({ type: "raw_text", text })),
    ] },
    { type: "actions", elements: [{ type: "datepicker", action_id: "home.day", initial_date: "2026-11-23" }, { type: "users_select", action_id: "home.who", placeholder: plain("Whose?") }] },
    { type: "context", elements: [plain("Updated a moment ago")] },
  ]),
};

export const modal = {
  type: "modal", callback_id: "migrate", title: plain("Migrate a VM"), submit: plain("Plan it"), close: plain("Cancel"),
  blocks: [
    { type: "input", block_id: "vm", label: plain("VM"), element: { type: "external_select", action_id: "vm", min_query_length: 0, placeholder: plain("Type a name") } },
    { type: "input", block_id: "site", label: plain("To which site"), element: { type: "static_select", action_id: "site", options: [{ text: plain("site1"), value: "site1" }, { text: plain("site2"), value: "site2" }] } },
    { type: "input", block_id: "options", optional: true, label: plain("Options"), element: { type: "checkboxes", action_id: "options", options: [
      { text: mrkdwn("*Shut down* the guest first"), description: plain("Asks VMware Tools, waits five minutes"), value: "shutdown" }, { text: plain("Power on afterwards"), value: "power" }, { text: plain("Thin disks"), value: "thin" }] } },
    { type: "input", block_id: "when", optional: true, label: plain("Not before"), element: { type: "datetimepicker", action_id: "when" } },
    { type: "input", block_id: "why", optional: true, label: plain("Note for the thread"), hint: plain("Everybody in the channel sees it."), element: { type: "plain_text_input", action_id: "why", multiline: true, max_length: 300 } },
  ],
};

const vm = (name, host, bytes, power = "poweredOff", folder = "Web") => ({ name, folder, host, power, datastore: "ds", bytes: bytes * GiB });
export const world = {
  now: new Date().toISOString(), advanced_s: 3600,
  sites: [
    { name: "site1", datacenter: "DC1", cluster: "C1", vcenter: "east",
      hosts: [{ name: "esx-01.site1.example.net", version: "8.0.3", connected: true, maintenance: false, copying: 1 }, { name: "esx-02.site1.example.net", version: "8.0.3", connected: true, maintenance: true, copying: 0 }],
      datastores: [{ name: "ds-c1-01", capacity: 4096 * GiB, free: 2048 * GiB, orphans: 0 }],
      vms: [vm("web01", "esx-01.site1.example.net", 0.8), vm("db01", "esx-01.site1.example.net", 1.5), vm("app01", "esx-02.site1.example.net", 0.6, "poweredOn"), vm("cache01", "esx-01.site1.example.net", 0.25), vm("report01", "esx-02.site1.example.net", 0.1, "poweredOff", "Databases"), vm("report01", "esx-02.site1.example.net", 0.1, "poweredOff", "Old"), vm("Weekly report 🚀 (do not touch)", "esx-01.site1.example.net", 0.1), vm("<img src=x onerror=alert(1)>", "esx-01.site1.example.net", 0.1)] },
    { name: "site2", datacenter: "DC2", cluster: "C2", vcenter: "west",
      hosts: [{ name: "esx-01.site2.example.net", version: "8.0.3", connected: true, maintenance: false, copying: 0 }, { name: "esx-02.site2.example.net", version: "8.0.3", connected: false, maintenance: false, copying: 1 }],
      datastores: [{ name: "ds-c2-01", capacity: 4096 * GiB, free: 620 * GiB, orphans: 410 * GiB }],
      vms: [vm("mail01", "esx-01.site2.example.net", 30), vm("ldap01", "esx-01.site2.example.net", 12, "poweredOn")] },
  ],
  links: [{ between: ["site1", "site2"], rate: 1e9, rtt_ms: 80, loss: 0.004, mtu: 1500, blocked: [], flows: 1, bytes_per_second: 96e6 }],
  moves: [
    { vm: "web01", from_site: "site1", to_site: "site2", from_host: "esx-01.site1.example.net", to_host: "esx-02.site2.example.net", percent: 47, bytes: 0.8 * GiB, bytes_per_second: 96e6, state: "running", fault: "", op_id: "cm-k3v8q1zd-a1" },
    { vm: "db01", from_site: "site1", to_site: "site2", from_host: "esx-01.site1.example.net", to_host: "esx-01.site2.example.net", percent: 63, bytes: 1.5 * GiB, bytes_per_second: 0, state: "error", fault: "NetworkCopyFault", op_id: "cm-d0b1f2aa-a1" },
  ],
  roles: [{ name: "bot", state: "running", pid: 4711, restarts: 0 }, { name: "worker", state: "running", pid: 4712, restarts: 2 }, { name: "watcher", state: "starting", pid: null, restarts: 1 }],
  vcenters: [{ name: "east", up: true, sessions: 4 }, { name: "west", up: true, sessions: 2 }],
};

export const tally = { posts: 14, updates: 212, rate_limited: 3, commands: 5, ack_ms_p50: 12, ack_ms_max: 88, connections: [1, 2] };

export const traffic = Array.from({ length: 30 }, (_, index) => ({
  n: 30 - index, at: new Date(Date.now() - index * 4000).toISOString(), way: index % 3 ? "app>slack" : "slack>app",
  what: index % 3 ? "chat.update" : ["slash_commands", "interactive", "events_api"][index % 9 / 3 | 0],
  body: { channel: "C0MIGRATE1", ts: "1.2", text: "web01 to site2: copying </script><img src=x onerror=alert(1)>", blocks: runningCard(40 - index) }, answer: { ok: true },
}));

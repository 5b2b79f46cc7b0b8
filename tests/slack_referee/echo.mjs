// A small app on Slack's official JavaScript Bolt: it answers everything, and prints what it was given, a line of JSON each.
//
// It knows nothing of our simulated Slack but its address. It ends when its standard input does, so it outlives nobody.

import { createHash } from 'node:crypto';
import bolt from '@slack/bolt';

const { SLACK_API_URL, SLACK_APP_TOKEN, SLACK_BOT_TOKEN, RECONNECT_AFTER_MS } = process.env;
const clientOptions = { slackApiUrl: SLACK_API_URL, retryConfig: { retries: 0 } };
const SITES = ['site1', 'site2'];
const VMS = ['db01', 'web01', 'web02'];

const tell = (kind, said = {}) => process.stdout.write(`${JSON.stringify({ kind, ...said })}\n`);
const plain = (text) => ({ type: 'plain_text', text });
const option = (value) => ({ text: plain(value), value });

// Everything but warnings stays inside: standard output is for `tell`.
const logger = {
  debug() {},
  info() {},
  warn: (...said) => tell('warning', { said: said.map(String) }),
  error: (...said) => tell('error', { said: said.map(String) }),
  setLevel() {},
  getLevel: () => 'warn',
  setName() {},
};

// The receiver is made here because only so its own client, which asks for the socket's address, learns where Slack is.
const receiver = new bolt.SocketModeReceiver({
  appToken: SLACK_APP_TOKEN,
  logger,
  clientPingTimeout: Number(RECONNECT_AFTER_MS), // the client waits as long before it connects again
  installerOptions: { clientOptions },
});
const app = new bolt.App({ token: SLACK_BOT_TOKEN, receiver, clientOptions, logger });

const card = (text, clicks) => ({
  text,
  blocks: [
    { type: 'section', block_id: `said-${clicks}`, text: plain(text) },
    {
      type: 'actions',
      block_id: `buttons-${clicks}`,
      elements: [
        { type: 'button', action_id: 'again', text: plain('Again'), value: String(clicks) },
        { type: 'button', action_id: 'whisper', text: plain('Whisper'), value: 'psst' },
        { type: 'button', action_id: 'form', text: plain('Form'), value: 'x' },
      ],
    },
  ],
});

const form = () => ({
  type: 'modal',
  callback_id: 'plan',
  private_metadata: 'kept',
  title: plain('Plan'),
  submit: plain('Go'),
  blocks: [
    {
      type: 'input',
      block_id: 'vm',
      label: plain('VM'),
      element: { type: 'external_select', action_id: 'vm', min_query_length: 0 },
    },
    {
      type: 'input',
      block_id: 'site',
      label: plain('Site'),
      element: { type: 'static_select', action_id: 'site', options: SITES.map(option) },
    },
    {
      type: 'input',
      block_id: 'why',
      optional: true,
      label: plain('Why'),
      element: { type: 'plain_text_input', action_id: 'why' },
    },
  ],
});

app.command('/echo', async ({ command, ack, respond, say }) => {
  tell('command', { text: command.text, user: command.user_id, channel: command.channel_id });
  const [verb, ...rest] = command.text.split(' ');
  if (verb === 'aloud') {
    await ack({ response_type: 'in_channel', text: rest.join(' ') });
  } else if (verb === 'respond') {
    await ack();
    await respond({ response_type: 'ephemeral', text: rest.join(' ') });
    await respond({ response_type: 'in_channel', text: `aloud: ${rest.join(' ')}` });
  } else if (verb === 'card') {
    await ack();
    const { ts } = await say(card('Clicked 0 times', 0));
    tell('posted', { ts });
  } else {
    await ack(`You said: ${command.text}`);
  }
});

app.action('again', async ({ ack, action, body, client }) => {
  await ack();
  const clicks = Number(action.value) + 1;
  tell('click', { value: action.value, user: body.user.id, block: action.block_id });
  await client.chat.update({ channel: body.channel.id, ts: body.message.ts, ...card(`Clicked ${clicks} times`, clicks) });
});

app.action('whisper', async ({ ack, action, body, client, respond }) => {
  await ack();
  await client.chat.postEphemeral({ channel: body.channel.id, user: body.user.id, text: `only you: ${action.value}` });
  await respond({ replace_original: true, text: 'This card was replaced' });
});

app.action('form', async ({ ack, body, client }) => {
  await ack();
  const { view } = await client.views.open({ trigger_id: body.trigger_id, view: form() });
  tell('opened', { view: view.id });
});

app.options('vm', async ({ ack, options }) => {
  tell('options', { value: options.value, block: options.block_id });
  await ack({ options: VMS.filter((name) => name.startsWith(options.value)).map(option) });
});

app.view('plan', async ({ ack, view, body, client }) => {
  const { vm, site, why } = view.state.values;
  const chosen = {
    vm: vm.vm.selected_option.value,
    site: site.site.selected_option.value,
    why: why.why.value,
    kept: view.private_metadata,
  };
  tell('submitted', chosen);
  if (chosen.site === 'site1') {
    await ack({ response_action: 'errors', errors: { site: 'It is there already.' } });
    return;
  }
  await ack();
  await client.chat.postMessage({ channel: body.user.id, text: `${chosen.vm} goes to ${chosen.site}` });
});

app.shortcut({ callback_id: 'quote', type: 'message_action' }, async ({ ack, shortcut, client }) => {
  await ack();
  tell('shortcut', { text: shortcut.message.text, user: shortcut.user.id });
  const { channel, message } = shortcut;
  await client.chat.postMessage({ channel: channel.id, thread_ts: message.ts, text: `Quoted: ${message.text}` });
});

app.event('app_mention', async ({ event, say, client }) => {
  tell('mention', { text: event.text, user: event.user });
  await say({ thread_ts: event.ts, text: 'Yes?' });
  await client.reactions.add({ channel: event.channel, timestamp: event.ts, name: 'eyes' });
});

app.event('app_home_opened', async ({ event, client }) => {
  const view = { type: 'home', blocks: [{ type: 'section', text: plain(`Hello ${event.user}`) }] };
  await client.views.publish({ user_id: event.user, view });
});

app.event('file_shared', async ({ event, client }) => {
  const { file } = await client.files.info({ file: event.file_id });
  const answer = await fetch(file.url_private_download, { headers: { Authorization: `Bearer ${SLACK_BOT_TOKEN}` } });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  tell('file', { name: file.name, size: file.size, sha256, user: event.user_id });
  if (event.user_id !== app.botUserId) {
    await client.files.uploadV2({
      channel_id: event.channel_id,
      filename: 'echo.txt',
      title: 'Echo',
      file: Buffer.from(sha256),
      initial_comment: `Read ${file.name}`,
    });
  }
});

app.error(async (error) => tell('error', { said: [String(error)] }));

process.stdin.resume().on('end', async () => {
  await app.stop();
  process.exit(0);
});

receiver.client.on('connected', () => tell('connected'));
receiver.client.on('reconnecting', () => tell('reconnecting'));
await app.start();
const { user_id: botUser } = await app.client.auth.test();
app.botUserId = botUser;
tell('ready', { bot: botUser });

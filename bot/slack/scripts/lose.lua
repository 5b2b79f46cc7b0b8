-- A message that shows no end is the card of something: if nobody knows that any more, queue an edit that says so.
-- It goes the way of all looks of that card: should the job be taken up again meanwhile, what it shows comes after this.
-- 1: queued; 0: it is known, or something is on its way there already.

local job, channel, ts, text, blocks, what, keep = unpack(ARGV)
local card, id = key('card', job), 'card:' .. job
local record = key('outbox', id)
if redis.call('EXISTS', key('job', job), key('hold', job), key('incident', job)) > 0 then
  return 0
end
if redis.call('EXISTS', record) == 1 then
  return 0
end
local now = now_ms()
local saved = redis.call('HGET', card, 'ts')
if saved and saved ~= ts then
  amend(job, channel, ts, 'card', '', '', '[]', now, now) -- the one that was saved is looked at by itself
  return 1
end
local revision = whole(now) -- beyond any that the message may bear
redis.call('HSET', card, 'channel', channel, 'ts', ts, 'rev', revision, 'ended', '0')
redis.call('PEXPIRE', card, keep)
redis.call('HSET', record, 'kind', 'card', 'job', job, 'channel', channel, 'rev', revision, 'lane', PROGRESS,
  'outline', 'lost', 'digest', 'lost', 'text', text, 'blocks', blocks, 'plain', '0', 'what', what, 'over', '1',
  'created', whole(now))
place(id, PROGRESS, now) -- after all news: there may be many of these, and Slack takes few edits
wake()
return 1

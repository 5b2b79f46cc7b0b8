-- Queue a reply. 1: queued; 0: this key of this job was queued or posted before.

local job, channel, name, final, text, blocks, keep = unpack(ARGV)
local card, id = key('card', job), 'reply:' .. job .. ':' .. name
local replies = key('outbox', 'replies', job)
local now = now_ms()

if redis.call('HSETNX', card, 'reply:' .. name, '') == 0 then
  return 0
end
redis.call('HSETNX', card, 'channel', channel)
redis.call('PEXPIRE', card, keep)
redis.call('HSET', key('outbox', id), 'kind', 'reply', 'job', job, 'channel', channel, 'name', name,
  'lane', final == '1' and FINAL or NEWS, 'text', text, 'blocks', blocks, 'plain', '0', 'created', whole(now))
redis.call('RPUSH', replies, id)
if redis.call('HEXISTS', card, 'ts') == 1 then
  offer_reply(job, now)
end
return 1

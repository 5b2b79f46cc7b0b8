-- Slack has it: write down where. 0: somebody else took the record over meanwhile, and will find the message.

local id, fence, ts, revision, outline, digest, gap = unpack(ARGV)
if not fence_holds(id, fence) then
  return 0
end
local record = key('outbox', id)
local kind, job, name = unpack(redis.call('HMGET', record, 'kind', 'job', 'name'))
local card = key('card', job)
local now = now_ms()

if kind == 'reply' then
  redis.call('HSET', card, 'reply:' .. name, ts)
  redis.call('LREM', key('outbox', 'replies', job), 1, id)
  forget(id)
else
  local edit_after = now + tonumber(gap)
  redis.call('HSET', card, 'ts', ts, 'shown', revision, 'outline', outline, 'digest', digest,
    'edit_after', whole(edit_after))
  local newest, lane, wanted = unpack(redis.call('HMGET', record, 'rev', 'lane', 'outline'))
  if tonumber(newest) > tonumber(revision) then
    lane = tonumber(lane)
    if lane ~= FINAL then
      lane = wanted == outline and PROGRESS or NEWS
    end
    redis.call('HSET', record, 'owner', '', 'suspect', '0', 'attempts', '0', 'lane', lane)
    place(id, lane, lane == PROGRESS and edit_after or now)
  else
    forget(id)
  end
end
redis.call('HDEL', card, 'error', 'error_at')
offer_reply(job, now)
return 1

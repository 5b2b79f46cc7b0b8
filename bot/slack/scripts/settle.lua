-- Slack has it: write down where. 0: somebody else took the record over meanwhile. What was posted for it is then
-- looked at again when the other one is done: if both posted, one of the two messages goes.

local id, fence, ts, revision, outline, digest, gap, posted, kind, job, channel, name, recheck = unpack(ARGV)
local record, card = key('outbox', id), key('card', job)
local now = now_ms()

if not fence_holds(id, fence) then
  if posted == '1' and (kind == 'card' or kind == 'reply') then
    amend(job, channel, ts, kind, name, '', '[]', now + tonumber(recheck), now)
  end
  return 0
end
redis.call('DEL', key('outbox', 'trouble')) -- Slack lets us in
if kind == 'note' or kind == 'amend' then
  forget(id)
  return 1
end

if THREADED[kind] then
  redis.call('HSET', card, kind .. ':' .. name, ts)
  redis.call('LREM', key('outbox', 'replies', job), 1, id)
  forget(id)
else
  local edit_after = now + tonumber(gap)
  redis.call('HSET', card, 'ts', ts, 'shown', revision, 'outline', outline, 'digest', digest,
    'edit_after', whole(edit_after))
  local hint = redis.call('HGET', card, 'hint')
  if hint and hint ~= ts then
    amend(job, channel, hint, 'card', '', '', '[]', now, now) -- somebody clicked it: it may be a second card
  end
  redis.call('HDEL', card, 'hint')
  local newest, lane, wanted = unpack(redis.call('HMGET', record, 'rev', 'lane', 'outline'))
  if tonumber(newest) > tonumber(revision) then
    lane = tonumber(lane)
    if lane ~= FINAL then
      lane = wanted == outline and PROGRESS or NEWS
    end
    redis.call('HSET', record, 'owner', '', 'suspect', '0', 'attempts', '0', 'lane', lane, 'created', whole(now))
    redis.call('HDEL', record, 'held', 'tried', 'claimed')
    place(id, lane, lane == PROGRESS and edit_after or now)
  else
    forget(id)
  end
end
redis.call('HDEL', card, 'error', 'error_at')
offer_reply(job, now)
return 1

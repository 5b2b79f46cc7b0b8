-- Queue the newest look of a card. 1: queued; 0: it shows this already, or an end was shown and this is older news.
-- An incident may come back after its end.

local job, channel, ended, outline, digest, text, blocks, keep, hold, requester, thread, what, first,
  again, look_back = unpack(ARGV)
local card, id = key('card', job), 'card:' .. job
local record = key('outbox', id)
local now = now_ms()
local waiting = redis.call('EXISTS', record) == 1

if first == '1' and redis.call('HEXISTS', card, 'rev') == 1 then
  return 0
end
if ended == '0' and what ~= 'alert' and redis.call('HGET', card, 'ended') == '1' then
  return 0
end
if not waiting and redis.call('HGET', card, 'digest') == digest then
  return 0
end

local lane = NEWS
if ended == '1' then
  lane = FINAL
elseif redis.call('HGET', card, 'outline') == outline then
  lane = PROGRESS
end
local first_look = redis.call('HEXISTS', card, 'rev') == 0
local forgotten = first_look and again == '1' -- Redis lost it while somebody was about to show it once more
if forgotten then
  redis.call('HSET', card, 'rev', whole(now)) -- beyond any that the earlier message may bear
end
local revision = redis.call('HINCRBY', card, 'rev', 1)
if thread ~= '' and first_look then
  redis.call('HSET', card, 'thread', thread) -- once: a thread that is gone does not come back with the next look
end
redis.call('HSET', card, 'channel', channel, 'ended', ended, 'requester', requester, 'of', what)
redis.call('PEXPIRE', card, keep)
redis.call('HSETNX', record, 'created', whole(now))
redis.call('HSET', record, 'kind', 'card', 'job', job, 'channel', channel, 'rev', revision, 'lane', lane,
  'outline', outline, 'digest', digest, 'text', text, 'blocks', blocks, 'plain', '0', 'what', what,
  'over', ended)
if forgotten then
  redis.call('HSET', record, 'suspect', '1', 'tried', whole(now - tonumber(look_back)), 'claimed', whole(now))
end

-- In flight: settling that one puts this one in line. Two edits at once could arrive in the wrong order.
if not leased(record) then
  local due = now
  if lane == PROGRESS then
    due = math.max(now, tonumber(redis.call('HGET', card, 'edit_after') or '0'))
  elseif redis.call('HEXISTS', card, 'ts') == 0 then
    due = now + tonumber(hold) -- a first look that is about to be replaced is not worth a message of its own
  end
  local before = due_of(id)
  local failing = tonumber(redis.call('HGET', record, 'attempts') or '0') > 0
  if before then
    due = failing and before or math.min(due, before) -- newer news does not lose its place, nor jump a pause
  end
  place(id, lane, due)
  wake()
end
return 1

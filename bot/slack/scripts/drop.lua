-- Given up. What waits for a card that will never be posted goes with it.

local id, fence, problem = unpack(ARGV)
if not fence_holds(id, fence) then
  return 0
end
local kind, job = unpack(redis.call('HMGET', key('outbox', id), 'kind', 'job'))
local card, replies = key('card', job), key('outbox', 'replies', job)
local now = now_ms()

forget(id)
if kind == 'note' or kind == 'amend' then
  return 1
end
redis.call('HSET', card, 'error', problem, 'error_at', whole(now))
if THREADED[kind] then
  redis.call('LREM', replies, 1, id)
elseif redis.call('HEXISTS', card, 'ts') == 0 then
  for _, waiting in ipairs(redis.call('LRANGE', replies, 0, -1)) do
    forget(waiting)
  end
  redis.call('DEL', replies)
end
offer_reply(job, now)
return 1

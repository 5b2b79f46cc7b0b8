-- Not this time: give the record back, due again after a delay. A pause holds even if the record is lost to us.

local id, fence, delay, attempts, suspect, looked, plain, forget_ts, problem, pause, pause_ms = unpack(ARGV)
local now = now_ms()
if pause ~= '' then
  redis.call('HSET', PACE, 'pause:' .. pause, whole(now + tonumber(pause_ms)))
end
if not fence_holds(id, fence) then
  return 0
end
local record = key('outbox', id)
local kind, job, lane, claimed = unpack(redis.call('HMGET', record, 'kind', 'job', 'lane', 'claimed'))
local card = key('card', job)

redis.call('HSET', record, 'owner', '', 'attempts', attempts, 'suspect', suspect)
if suspect == '0' then
  redis.call('HDEL', record, 'tried', 'claimed') -- nothing of it is in Slack
elseif looked == '1' then
  redis.call('HSET', record, 'tried', claimed) -- only the attempt after the look can be
end
if pause ~= '' then
  redis.call('HSETNX', record, 'held', whole(now))
end
if plain == '1' then
  redis.call('HSET', record, 'plain', '1')
end
if kind ~= 'note' and kind ~= 'amend' then
  if forget_ts == '1' then
    if kind ~= 'card' or redis.call('HEXISTS', card, 'ts') == 0 then
      redis.call('HDEL', card, 'thread') -- it was the thread that is gone, not a message in it
    end
    redis.call('HDEL', card, 'ts')
  end
  if problem ~= '' then
    redis.call('HSET', card, 'error', problem, 'error_at', whole(now))
  end
end
place(id, tonumber(lane), now + tonumber(delay))
return 1

-- Keep what a judge found out, together with how far it read. ARGV: epoch, after, form; and of each change: id, incident,
-- state (empty: as it stands), by, at, into, hushed, opened, and how it stood before. Returns 0 if another judge has
-- taken over.
local epoch, after, form = ARGV[1], ARGV[2], ARGV[3]
if redis.call('HGET', key('shard', 'judge'), 'epoch') ~= epoch then
  return 0
end
local now = whole(now_ms())
redis.call('HSET', key('judge'), 'after', after, 'at', now)
redis.call('ZREMRANGEBYSCORE', ENDED, '-inf', '(' .. whole(tonumber(now) - KEPT))

for place = 4, #ARGV, 9 do
  local id, incident, state, by, at, into, hushed, opened, before = unpack(ARGV, place, place + 8)
  local record = key('incident', id)
  redis.call('HSET', record, 'id', id, 'form', form, 'incident', incident)
  local stands = redis.call('HMGET', record, 'state', 'at')
  if not stands[1] and state == '' then
    state, opened = 'open', now -- Redis has forgotten it, and the judge has not
  elseif stands[1] and state ~= 'merged' and before ~= (stands[1] .. '@' .. (stands[2] or '')) then
    state = '' -- somebody was faster
  end
  if state ~= '' then
    redis.call('HSETNX', record, 'opened', opened)
    opened = redis.call('HGET', record, 'opened')
    if at == '' then
      at = opened
    else
      redis.call('HSET', record, 'at', at)
    end
    redis.call('HSET', record, 'state', state, 'by', by, 'into', into)
    if hushed ~= '' then
      redis.call('HSET', record, 'hushed', hushed)
    end
    file(id, record, state, opened, at)
  end
end
return 1

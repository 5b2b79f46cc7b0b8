-- What came of a telling that was taken. 0: somebody else has it now, and nothing changed.

local incident, sink, fence, seen, what, argument, delay, maybe, told = unpack(ARGV)
local record = record_of(incident, sink)
if redis.call('HGET', record, 'fence') ~= fence then
  return 0
end
local now = now_ms()
local due = now + tonumber(delay)

local function well()
  redis.call('HSET', record, 'attempts', '0')
  redis.call('HDEL', record, 'failing', 'trouble')
end

if what == 'told' then
  redis.call('HSET', record, 'said', argument)
  redis.call('HDEL', record, 'doubt')
  well()
elseif what == 'failed' then
  redis.call('HINCRBY', record, 'attempts', 1)
  redis.call('HSETNX', record, 'failing', whole(now))
  redis.call('HSET', record, 'trouble', told)
  if maybe == '1' then
    redis.call('HSET', record, 'doubt', '1')
  end
elseif what == 'refused' then
  redis.call('HSET', record, 'refused', argument, 'trouble', told)
  redis.call('HDEL', record, 'failing')
elseif what == 'wait' then
  due = tonumber(redis.call('HGET', record, 'at'))
elseif what == 'over' then
  redis.call('HSET', record, 'state', 'over')
  redis.call('HDEL', record, 'failing')
  if told ~= '' then
    redis.call('HSET', record, 'trouble', told)
  end
elseif what == 'anew' then
  local opening = tonumber(redis.call('HGET', record, 'opening')) + 1
  local patience = tonumber(redis.call('HGET', record, 'patience'))
  due = now + patience
  open(incident, sink, whole(opening), due, patience)
else
  redis.call('HDEL', record, 'failing') -- rest
end
redis.call('HDEL', record, 'fence', 'taken')

local looked = redis.call('HGET', record, 'looks') or '0'
if looked ~= seen and what ~= 'failed' then
  due = now -- somebody spoke meanwhile
  ring(sink)
elseif what == 'over' then
  due = nil
end
if due then
  due_at(incident, sink, due)
else
  redis.call('ZREM', key('escalations', sink), incident)
end
keep(incident, sink)
return 1

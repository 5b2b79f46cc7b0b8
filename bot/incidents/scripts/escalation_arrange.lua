-- A sink is to be told of an incident at a time (ms). 1: arranged; 0: it was, and is not over.

local incident, sink, at = ARGV[1], ARGV[2], tonumber(ARGV[3])
local record = record_of(incident, sink)
if redis.call('HGET', record, 'state') == 'live' then
  return 0
end
local opening = tonumber(redis.call('HGET', record, 'opening') or '0') + 1
open(incident, sink, whole(opening), at, math.max(0, at - now_ms()))
redis.call('HDEL', record, 'fence', 'taken')
redis.call('SADD', key('escalation', incident), sink)
due_at(incident, sink, at)
keep(incident, sink)
ring(sink)
return 1

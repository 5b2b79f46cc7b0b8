-- Somebody changed how an incident stands: every sink that has to do with it is looked at now. How many these are.
--
-- One that is being told just now stays with whoever does that; they see the count and look once more.

local incident = ARGV[1]
local now = now_ms()
local sinks = redis.call('SMEMBERS', key('escalation', incident))
for _, sink in ipairs(sinks) do
  local record = record_of(incident, sink)
  if redis.call('EXISTS', record) == 1 then
    redis.call('HINCRBY', record, 'looks', 1)
    local taken = tonumber(redis.call('HGET', record, 'taken') or '0')
    -- What waits after a failure waits on: that nobody was there a moment ago is still true.
    local failing = redis.call('HGET', record, 'failing') and redis.call('ZSCORE', key('escalations', sink), incident)
    if taken <= now and not failing then
      due_at(incident, sink, now)
    end
    keep(incident, sink)
    ring(sink)
  end
end
return #sinks

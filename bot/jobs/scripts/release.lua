-- What waited may go. A hold that was released before, or made anew since, is not touched.
local op, id, by, why = unpack(ARGV)
if redis.call('HGET', key('hold', id), 'op') == op then
  return redis.call('HGETALL', key('hold', id)) -- asked again because our answer was lost
end
local resource = redis.call('HGET', key('hold', id), 'resource')
if not resource or redis.call('HGET', key('held'), resource) ~= id then
  return {}
end
redis.call('HDEL', key('held'), resource)
redis.call('HSET', key('hold', id), 'released', whole(now_ms()), 'released_by', by, 'op', op)
redis.call('PEXPIRE', key('hold', id), JOB_KEPT)
act(resource, 'release', by, why)
tell(id, 'released', by, why)
return redis.call('HGETALL', key('hold', id))

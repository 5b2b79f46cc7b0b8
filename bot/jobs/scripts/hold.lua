-- Nothing that needs this resource is started from now on. Who comes second finds the first one's hold.
local id, resource, by, why, job, channel = unpack(ARGV)
local found = redis.call('HGET', key('held'), resource)
if not found then
  found = id
  redis.call('HSET', key('held'), resource, id)
  redis.call('HSET', key('hold', id), 'id', id, 'resource', resource, 'by', by, 'why', why, 'at', whole(now_ms()),
    'job', job, 'channel', channel)
  act(resource, 'hold', by, why)
  tell(id, 'held', by, why)
end
return redis.call('HGETALL', key('hold', found))

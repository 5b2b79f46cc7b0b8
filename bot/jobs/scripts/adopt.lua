-- A job that is not on file any more, although what it started may be running: back, and claimable at once.
local op, id, kind, vm_key, requester, channel, data, priority, state, attempt, by, why, lane, needs, in_the_way = unpack(ARGV)
local now = now_ms()
local job = read(id)
if job ~= nil then
  return job.op == op and 1 or 0 -- asked again because our answer was lost
end
local holder = redis.call('GET', key('vm', vm_key))
local other = holder and read(holder)
if other and STARTED[other.state] then
  return 0
elseif other and tonumber(redis.call('ZSCORE', key('lease'), holder) or '0') > now then
  redis.call('HSET', key('job', holder), 'cancel_by', by) -- its worker ends it, at the latest when it would start
elseif other then
  finish(holder, other, 'cancelled', by, in_the_way, now)
end

redis.call('SET', key('vm', vm_key), id)
redis.call('HSET', key('job', id),
  'id', id, 'kind', kind, 'vm_key', vm_key, 'lane', lane, 'requester', requester, 'channel', channel,
  'fence', 0, 'owner', '', 'attempt', attempt, 'created', whole(now), 'cancel_by', '', 'priority', priority,
  'needs', needs, 'claims', 0, 'failures', 0, 'op', op, 'delivery', '')
put_data(id, data)
step(id, state, by, why, now)
act(id, 'adopt', by, why)
take_slots(id, { lane = lane, needs = needs }) -- it has them whether or not they are free
redis.call('ZADD', key('lease'), whole(now), id)
redis.call('ZADD', key('live'), whole(now), id)
redis.call('ZADD', key('jobs'), whole(now), id)
return 1

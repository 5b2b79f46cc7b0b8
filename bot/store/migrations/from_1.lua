-- From 1 to 2. A lane's line was ordered by priority and time; now by priority, round and arrival, a round being one
-- waiting job of each requester. What a job needs beside its lane is on its record.
if redis.call('GET', key('schema')) ~= '1' then
  return 0
end

local PRIORITY, ROUND, LAST_ROUND = 1e14, 1e9, 99999
local sequence = 0

local function line_up(lane)
  local line, turns = key('ready', lane), {}
  for _, id in ipairs(redis.call('ZRANGE', line, 0, -1)) do
    local requester, priority = unpack(redis.call('HMGET', key('job', id), 'requester', 'priority'))
    if not requester then
      redis.call('ZREM', line, id)
    else
      local round = math.min((turns[requester] or -1) + 1, LAST_ROUND)
      turns[requester], sequence = round, sequence + 1
      redis.call('ZADD', line, whole(tonumber(priority) * PRIORITY + round * ROUND + sequence), id)
      redis.call('HSET', key('turns', lane), requester, round)
    end
  end
  if redis.call('EXISTS', line) == 0 then
    redis.call('SREM', key('lanes'), lane)
  end
end

for _, lane in ipairs(redis.call('SMEMBERS', key('lanes'))) do
  line_up(lane)
end
redis.call('SET', key('sequence'), sequence)
for _, id in ipairs(redis.call('ZRANGE', key('live'), 0, -1)) do
  if redis.call('EXISTS', key('job', id)) == 1 then
    redis.call('HSETNX', key('job', id), 'needs', '[]')
  end
end
redis.call('SET', key('schema'), '2')
return 1

-- Somebody asked for something that has to be fetched. 1: kept; 0: it was kept before, and may have been done since.

local id, told, keep = unpack(ARGV)
local now = now_ms()
if not redis.call('SET', key('seen', 'errand', id), whole(now), 'NX', 'PX', keep) then
  return 0
end
redis.call('HSET', key('errand', id), 'told', told, 'attempts', '0', 'created', whole(now))
redis.call('PEXPIRE', key('errand', id), keep)
redis.call('ZADD', key('errands'), whole(now), id)
return 1

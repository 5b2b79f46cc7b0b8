-- A lease that is still on file ends later; one that was given away stays so.
local id, fence, lease = unpack(ARGV)
if not holds(id, read(id), fence) then
  return 0
end
redis.call('ZADD', key('lease'), whole(now_ms() + tonumber(lease)), id)
return 1

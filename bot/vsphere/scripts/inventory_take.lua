-- Who keeps the inventory of a vCenter? ARGV: vCenter, who asks, lease in ms, 1 to take it or 0 only to go on with it.
-- Returns whether it is theirs now, and the state that is there.
local inventory = key('inv', ARGV[1])
local fields = redis.call('HMGET', inventory, 'owner', 'leased', 'state')
local owner, now = fields[1], now_ms()
local left = tonumber(fields[2] or '0') - now
local leased = owner and left > 0 and left <= tonumber(ARGV[3]) -- more is left only of a clock that was set back
if owner ~= ARGV[2] and (ARGV[4] == '0' or leased) then
  return { 0, '' }
end
redis.call('HSET', inventory, 'owner', ARGV[2], 'leased', whole(now + tonumber(ARGV[3])))
redis.call('HDEL', inventory, 'rows', 'version', 'next') -- of an earlier form, and megabytes
return { 1, fields[3] or '' }

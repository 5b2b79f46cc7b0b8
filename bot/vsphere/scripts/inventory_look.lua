-- What is there of each vCenter in ARGV? Returns version and age in ms, alternating; two empty strings for nothing.
local found = {}
for _, vcenter in ipairs(ARGV) do
  local fields = redis.call('HMGET', key('inv', vcenter), 'version', 'at')
  table.insert(found, fields[1] or '')
  table.insert(found, fields[2] and whole(now_ms() - tonumber(fields[2])) or '')
end
return found

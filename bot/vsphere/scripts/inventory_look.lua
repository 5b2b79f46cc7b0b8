-- What is there of each vCenter in ARGV? Returns state, mark of the latest change and age in ms for each, in turn;
-- empty strings for nothing.
local found = {}
for _, vcenter in ipairs(ARGV) do
  local fields = redis.call('HMGET', key('inv', vcenter), 'state', 'mark', 'at')
  table.insert(found, fields[1] or '')
  table.insert(found, fields[2] or '')
  table.insert(found, fields[3] and whole(now_ms() - tonumber(fields[3])) or '')
end
return found

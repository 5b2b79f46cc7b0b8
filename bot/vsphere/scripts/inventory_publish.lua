-- Change rows of an inventory and tell of it, or only say that it is still so. ARGV: vCenter, who keeps it, the state
-- before, the state after, 1 if it is true now, then id and row alternating, an empty row for a VM that is gone.
-- Returns 1, or 0 when somebody else keeps it by now or the state is another one than was thought.
local inventory = key('inv', ARGV[1])
local fields = redis.call('HMGET', inventory, 'owner', 'state')
local state = fields[2] or ''
local told = #ARGV > 5 and state == ARGV[4] -- before: the reply was lost
if fields[1] ~= ARGV[2] or (state ~= ARGV[3] and not told) then
  return 0
end
if #ARGV > 5 and not told then
  local there, gone = {}, {}
  for at = 6, #ARGV, 2 do
    if ARGV[at + 1] == '' then
      table.insert(gone, ARGV[at])
    else
      table.insert(there, ARGV[at])
      table.insert(there, ARGV[at + 1])
    end
  end
  local rows, changes = key('inv', ARGV[1], 'rows'), key('inv', ARGV[1], 'changes')
  if #there > 0 then redis.call('HSET', rows, unpack(there)) end
  if #gone > 0 then redis.call('HDEL', rows, unpack(gone)) end
  local mark = redis.call('XADD', changes, 'MAXLEN', KEPT, '*', 'after', state, 'state', ARGV[4], unpack(ARGV, 6))
  redis.call('HSET', inventory, 'state', ARGV[4], 'mark', mark)
end
if ARGV[5] == '1' then
  redis.call('HSET', inventory, 'at', whole(now_ms()))
  redis.call('HDEL', inventory, 'trouble')
end
return 1

-- Keeps lines that came by themselves. ARGV: host, log, kind, then entries.
for at = 4, #ARGV do
  add(ARGV[1], ARGV[2], ARGV[3], ARGV[at])
end

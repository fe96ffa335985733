module live

go 1.18

require rtt.local/drivers v0.0.0

replace rtt.local/drivers => ./.rtt/drivers/go

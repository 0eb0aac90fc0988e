module tillwatch/test/servers/telegraf

go 1.26.0

require github.com/influxdata/telegraf v1.38.2

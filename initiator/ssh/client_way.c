#include "client_way.h"

bool client_way_is(const struct client_way *way)
{
	return way->conn || way->client;
}

void client_way_start(struct client_way *way, struct ssh_engine *engine,
		      const struct conn_spec *spec, const struct conn_events *events, void *arg)
{
	*way = (struct client_way){0};
	if (spec->target->way == PLAN_OPENSSH)
		way->client = client_conn_start(engine, spec, events, arg);
	else
		way->conn = conn_start(engine, spec, events, arg);
}

void client_way_stop(struct client_way *way)
{
	if (way->client)
		client_conn_stop(way->client);
	else
		conn_stop(way->conn);
}

void client_way_suspend(struct client_way *way, bool suspend)
{
	if (way->client)
		client_conn_suspend(way->client, suspend);
	else
		conn_suspend(way->conn, suspend);
}

void client_way_hold(struct client_way *way, bool hold)
{
	if (way->client)
		client_conn_hold(way->client, hold);
	else
		conn_hold(way->conn, hold);
}

void client_way_write(struct client_way *way, const void *data, size_t len)
{
	if (way->client)
		client_conn_write(way->client, data, len);
	else
		conn_write(way->conn, data, len);
}

size_t client_way_queued(const struct client_way *way)
{
	return way->client ? client_conn_queued(way->client) : conn_queued(way->conn);
}

void client_way_finish(struct client_way *way)
{
	if (way->client)
		client_conn_finish(way->client);
	else
		conn_finish(way->conn);
}

void client_way_ask_writable(struct client_way *way)
{
	if (way->client)
		client_conn_ask_writable(way->client);
	else
		conn_ask_writable(way->conn);
}

const uint8_t *client_way_key(const struct client_way *way, size_t *ret_len)
{
	if (way->conn)
		return conn_key(way->conn, ret_len);
	/* The client has judged it, and tells nobody. */
	*ret_len = 0;
	return NULL;
}

void client_way_free(struct client_way *way)
{
	conn_free(way->conn);
	client_conn_free(way->client);
	*way = (struct client_way){0};
}

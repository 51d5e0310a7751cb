/* One job in one shape. For rows*.c, and for format_*.c, where jobs stand among records. */
#ifndef MUSTER_ROWS_PRIVATE_H
#define MUSTER_ROWS_PRIVATE_H

#include "rows.h"

void rows_put_table(struct buf *out, const struct row_view *row); /* with the titles */
void rows_put_list(struct buf *out, const struct row_view *row);
void rows_put_json(struct buf *out, const struct row_view *row); /* without newline */
void rows_put_yaml(struct buf *out, const struct row_view *row); /* an element of a sequence */
void rows_put_csv(struct buf *out, const struct row_view *row, bool escape);
void rows_put_csv_titles(struct buf *out);

/* "unreachable: connection refused"; NULL if there is no cause. The caller frees it. */
char *rows_cause(const struct row_view *row);

#endif

#include "words.h"

#include <stdlib.h>

/* qsort does not keep the order of equals: a stable merge sort does. */
static void merge(struct word *to, const struct word *a, size_t m, const struct word *b, size_t n)
{
    while (m || n) {
        if (n == 0 || (m && a->count >= b->count)) {
            *to++ = *a++;
            m--;
        } else {
            *to++ = *b++;
            n--;
        }
    }
}

static void sort(struct word *words, struct word *spare, size_t length)
{
    if (length < 2)
        return;
    size_t half = length / 2;
    sort(words, spare, half);
    sort(words + half, spare, length - half);
    merge(spare, words, half, words + half, length - half);
    for (size_t n = 0; n < length; n++)
        words[n] = spare[n];
}

void words_sort(struct words *words)
{
    struct word *spare = calloc(words->length, sizeof *spare);
    if (!spare)
        return;
    sort(words->all, spare, words->length);
    free(spare);
}

#include "words.h"

int main(void)
{
    struct words words = {0};
    if (words_read(&words, stdin)) {
        perror("words");
        return 1;
    }
    words_sort(&words);
    for (size_t n = 0; n < words.length; n++)
        printf("%zu %s\n", words.all[n].count, words.all[n].text);
    return 0;
}

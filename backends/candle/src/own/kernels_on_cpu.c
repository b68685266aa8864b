/* Runs the kernels of kernels.cu on the CPU: all their threads, one after the other. */

static struct {
    unsigned x;
} blockIdx, blockDim, threadIdx;

#include "kernels.cu"

enum { BLOCK = 256 };

/* More threads than there are numbers, as on a GPU: the last block is not full. */
#define ALL(call)                                                                    \
    blockDim.x = BLOCK;                                                              \
    for (blockIdx.x = 0; blockIdx.x < (count + BLOCK - 1) / BLOCK; blockIdx.x++)     \
        for (threadIdx.x = 0; threadIdx.x < BLOCK; threadIdx.x++) call

#define WORDS w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11]

void all_gate(unsigned count, const int *w, const float *const *in, float *out) {
    (void)w;
    ALL(gate(count, in[0], in[1], out));
}

void all_add_bias(unsigned count, const int *w, const float *const *in, float *out) {
    ALL(add_bias(count, w[0], w[1], in[0], in[1], out));
}

void all_columns_of(unsigned count, const int *w, const float *const *in, float *out) {
    ALL(columns_of(count, WORDS, in[0], out));
}

void all_max_pool(unsigned count, const int *w, const float *const *in, float *out) {
    ALL(max_pool(count, WORDS, in[0], out));
}

void all_max_pool_back(unsigned count, const int *w, const float *const *in, float *out) {
    ALL(max_pool_back(count, WORDS, in[0], in[1], in[2], out));
}

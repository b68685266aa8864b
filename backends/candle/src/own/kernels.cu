// The kernels of `own.rs` for CUDA, in plain C: each thread computes one number of the output. `make_ptx.py` makes kernels.ptx of
// this file, and kernel_tests.rs compiles it for the CPU and compares it with the Rust bodies. Numbers are counted in 32 bits,
// which own.rs sees to. Floats are only compared, copied and added in a fixed order, so the bits are those of the Rust bodies.

#ifdef __CUDACC__
#define KERNEL extern "C" __global__ void
#define LOWEST __int_as_float(0xff800000)
#else
#define KERNEL void
#define LOWEST (-__builtin_inff())
#endif

// Windows over planes of height x width: which place of a plane tap (k, j) of window (r, q) reads. `spread` puts spread - 1 zeros
// between the plane's numbers. The first window begins at `first`, which is negative where there is padding.
#define WINDOWS                                                                                                          \
    unsigned height, unsigned width, unsigned rows, unsigned columns, unsigned taps_down, unsigned taps_right,           \
        unsigned step_down, unsigned step_right, int first_down, int first_right, unsigned spread_down, unsigned spread_right

#define HERE (blockIdx.x * blockDim.x + threadIdx.x)

// dy where y is positive, else 0.
KERNEL gate(unsigned count, const float *y, const float *dy, float *dx) {
    unsigned here = HERE;
    if (here < count) dx[here] = y[here] > 0.0f ? dy[here] : 0.0f;
}

// Each plane plus its channel's number.
KERNEL add_bias(unsigned count, unsigned area, unsigned channels, const float *x, const float *bias, float *y) {
    unsigned here = HERE;
    if (here < count) y[here] = x[here] + bias[here / area % channels];
}

// The number that each tap of each window reads: [planes, taps, windows].
KERNEL columns_of(unsigned count, WINDOWS, const float *x, float *y) {
    unsigned here = HERE;
    if (here >= count) return;
    unsigned q = here % columns, rest = here / columns;
    unsigned r = rest % rows;
    rest /= rows;
    unsigned j = rest % taps_right;
    rest /= taps_right;
    unsigned k = rest % taps_down, plane = rest / taps_down;
    int from_top = (int)(r * step_down + k) + first_down, from_left = (int)(q * step_right + j) + first_right;
    float value = 0.0f;
    if (from_top >= 0 && from_left >= 0) {
        unsigned down = from_top, right = from_left;
        if (down % spread_down == 0 && right % spread_right == 0) {
            down /= spread_down;
            right /= spread_right;
            if (down < height && right < width) value = x[(plane * height + down) * width + right];
        }
    }
    y[here] = value;
}

// The largest number of each window.
KERNEL max_pool(unsigned count, WINDOWS, const float *x, float *y) {
    unsigned here = HERE;
    if (here >= count) return;
    unsigned q = here % columns, r = here / columns % rows, plane = here / columns / rows;
    float best = LOWEST;
    for (unsigned k = 0; k < taps_down; k++) {
        for (unsigned j = 0; j < taps_right; j++) {
            int down = (int)(r * step_down + k) + first_down, right = (int)(q * step_right + j) + first_right;
            if (down < 0 || right < 0 || down >= (int)height || right >= (int)width) continue;
            float value = x[(plane * height + down) * width + right];
            if (value > best) best = value;
        }
    }
    y[here] = best;
}

// Of each place of x: the sum of dy over the windows whose first largest number is there.
KERNEL max_pool_back(unsigned count, WINDOWS, const float *x, const float *y, const float *dy, float *dx) {
    unsigned here = HERE;
    if (here >= count) return;
    unsigned column = here % width, row = here / width % height, plane = here / width / height;
    // From the first window's first tap on.
    unsigned down = row - first_down, right = column - first_right;
    unsigned first_r = down < taps_down ? 0 : (down - taps_down) / step_down + 1;
    unsigned first_q = right < taps_right ? 0 : (right - taps_right) / step_right + 1;
    float sum = 0.0f;
    for (unsigned r = first_r; r < rows && r * step_down <= down; r++) {
        for (unsigned q = first_q; q < columns && q * step_right <= right; q++) {
            float best = y[(plane * rows + r) * columns + q];
            int first = x[here] == best;
            // No place before this one, row by row, may hold the same.
            for (unsigned k = 0; first && k <= down - r * step_down; k++) {
                for (unsigned j = 0; first && j < taps_right; j++) {
                    int at = (int)(r * step_down + k) + first_down, across = (int)(q * step_right + j) + first_right;
                    if (at == (int)row && across >= (int)column) break;
                    if (at < 0 || across < 0 || across >= (int)width) continue;
                    if (x[(plane * height + at) * width + across] == best) first = 0;
                }
            }
            if (first) sum += dy[(plane * rows + r) * columns + q];
        }
    }
    dx[here] = sum;
}

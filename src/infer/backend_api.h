/* The contract between `infer` and a backend: a shared object that alone knows a vendor's SDK.
 *
 * A backend exports one function, redoubt_backend_get(), which returns its table. Everything is plain C: tensors cross
 * as views laid out as in DLPack (row-major, packed), no exception leaves either side, and what a side allocates it
 * also releases. Functions that can fail return 0 or a redoubt_code and then fill `error`.
 * Unless a comment says otherwise, every function may be called on any thread at any time. Backends whose vendor calls
 * itself without a bound do that on this thread when its stack is deep (512 MiB or more, of which only what is used is
 * memory), else they start one of their own for each call. */
#ifndef REDOUBT_INFER_BACKEND_API_H_
#define REDOUBT_INFER_BACKEND_API_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REDOUBT_BACKEND_ABI 2u
#define REDOUBT_BACKEND_SYMBOL "redoubt_backend_get"

/* The numbers of tensor::DType. */
typedef int32_t redoubt_dtype;
enum {
  REDOUBT_FLOAT32 = 0,
  REDOUBT_FLOAT64 = 1,
  REDOUBT_FLOAT16 = 2,
  REDOUBT_BFLOAT16 = 3,
  REDOUBT_INT8 = 4,
  REDOUBT_INT16 = 5,
  REDOUBT_INT32 = 6,
  REDOUBT_INT64 = 7,
  REDOUBT_UINT8 = 8,
  REDOUBT_UINT16 = 9,
  REDOUBT_UINT32 = 10,
  REDOUBT_UINT64 = 11,
  REDOUBT_BOOL = 12,
  REDOUBT_STRING = 13,
  REDOUBT_NOT_A_TENSOR = -1 /* a sequence, map or optional; or an element type we do not know */
};

typedef enum {
  REDOUBT_OK = 0,
  REDOUBT_INVALID_MODEL = 1, /* the blob is not a model this backend can run */
  REDOUBT_INVALID_INPUT = 2, /* type, shape or count does not fit the model */
  REDOUBT_RUN_FAILED = 3,
  REDOUBT_CANCELLED = 4, /* stopped by run_cancel */
  REDOUBT_OUT_OF_MEMORY = 5,
  REDOUBT_UNSUPPORTED = 6, /* a device or feature this build does not have */
  REDOUBT_INTERNAL = 7
} redoubt_code;

typedef struct {
  char message[2048]; /* NUL-terminated; the vendor's words where it spoke */
} redoubt_error;

/* A borrowed tensor. Strings: `data` holds them one after the other, each ended by a NUL, and `string_offsets` has one
 * start per element; null for other types. */
typedef struct {
  const void* data;
  uint64_t byte_size;
  const int64_t* shape;
  int32_t ndim;
  redoubt_dtype dtype;
  const uint64_t* string_offsets;
} redoubt_view;

/* A result: the view stays valid until release(owner) is called, once, on any thread. release is null when the view
 * needs no owner (then it is valid until the run ends). */
typedef struct {
  redoubt_view view;
  void* owner;
  void (*release)(void* owner);
} redoubt_output;

/* What a model says about one of its inputs or outputs. A dimension of -1 is free; ndim -1: unknown rank. */
typedef struct {
  const char* name;
  redoubt_dtype dtype;
  int32_t ndim;
  const int64_t* shape;
  const char* type_text; /* for people, e.g. "tensor(float)" or "seq(map(int64,tensor(float)))" */
} redoubt_io;

/* What the backend may use of its host. Lives as long as the process. */
typedef struct {
  void* user;
  /* 64-byte aligned; null when there is no room. */
  void* (*allocate)(void* user, uint64_t bytes);
  void (*deallocate)(void* user, void* p, uint64_t bytes);
  /* level: 0 debug, 1 info, 2 warning, 3 error */
  void (*log)(void* user, int level, const char* message);
  /* Called first on every thread that the backend starts. */
  void (*thread_started)(void* user);
  int32_t intra_op_threads; /* 0: the vendor's default */
  int32_t inter_op_threads;
} redoubt_host;

typedef struct {
  const void* blob; /* only read during load() */
  uint64_t blob_size;
  const char* device; /* "CPU", "GPU:1", ... upper case */
  /* Chosen by the caller (TF); null and 0 where the model names its own. */
  const char* const* inputs;
  uint64_t input_count;
  const char* const* outputs;
  uint64_t output_count;
} redoubt_model_source;

typedef struct redoubt_model redoubt_model; /* the backend's own */
typedef struct redoubt_run redoubt_run;     /* one execution that can be stopped */

/* Bytes of somebody else, not ended by a NUL. */
typedef struct {
  const char* data;
  uint64_t size;
} redoubt_text;

/* What a command answered to a script: a tree that lies as a whole in the memory of its maker. */
typedef enum {
  REDOUBT_REPLY_NULL = 0,
  REDOUBT_REPLY_TEXT = 1,
  REDOUBT_REPLY_INTEGER = 2,
  REDOUBT_REPLY_NUMBER = 3,
  REDOUBT_REPLY_BOOL = 4, /* in `integer` */
  REDOUBT_REPLY_LIST = 5  /* maps: key, value, key, value, ... */
} redoubt_reply_kind;
typedef struct redoubt_reply {
  int32_t kind;
  redoubt_text text;
  int64_t integer;
  double number;
  const struct redoubt_reply* elements;
  uint64_t element_count;
} redoubt_reply;

/* What a script may ask of its host while it runs; called while the script's run waits, may block. */
typedef struct {
  void* user;
  /* Runs a command for the script's caller. An error reply is a failure. The reply lives until release_reply. */
  int32_t (*execute)(void* user, const redoubt_text* words, uint64_t count, const redoubt_reply** reply,
                     redoubt_error* error);
  void (*release_reply)(void* user, const redoubt_reply* reply);
  /* Runs the stored model `key` on this thread; gives exactly `output_count` outputs or fails. */
  int32_t (*run_model)(void* user, redoubt_text key, const redoubt_view* inputs, uint64_t input_count,
                       redoubt_output* outputs, uint64_t output_count, redoubt_error* error);
} redoubt_script_host;

typedef struct redoubt_script redoubt_script; /* compiled source; the backend's own */

typedef struct {
  redoubt_text source; /* only read during compile() */
  const char* device;
} redoubt_script_source;

/* A function of a script. */
typedef struct {
  const char* name;
  uint64_t parameter_count;
  /* 1: f(tensors: List[Tensor], keys: List[str], args: List[str]). Else 0, and every parameter gets its tensors from
   * redoubt_script_call.tensors in order: one of them, or, where it is a List[Tensor], a whole list. */
  int32_t is_entry_point;
  const char* signature; /* for people, "bar(Tensor a, Tensor b) -> Tensor" */
} redoubt_script_function;

typedef struct {
  const char* function;
  const redoubt_view* tensors;
  uint64_t tensor_count;
  /* For functions that are no entry points: the tensors from here on make up the one List[Tensor]; UINT64_MAX: from
   * where the parameters say. */
  uint64_t list_begin;
  const redoubt_text* keys;
  uint64_t key_count;
  const redoubt_text* args;
  uint64_t arg_count;
  const redoubt_script_host* host; /* null: redis.* and redisAI.* fail */
} redoubt_script_call;

/* Scripts: source text of functions. */
typedef struct {
  int32_t (*compile)(const redoubt_script_source* source, redoubt_script** script, redoubt_error* error);
  void (*free)(redoubt_script* script); /* no call of it may be in progress */
  uint64_t (*function_count)(const redoubt_script* script);
  const redoubt_script_function* (*function)(const redoubt_script* script, uint64_t index);
  uint64_t (*memory)(const redoubt_script* script);
  /* Blocks until done; cannot be stopped, but for what it asks of its host. Up to `capacity` outputs, their number in
   * *output_count. */
  int32_t (*run)(redoubt_script* script, const redoubt_script_call* call, redoubt_output* outputs, uint64_t capacity,
                 uint64_t* output_count, redoubt_error* error);
} redoubt_script_table;

typedef struct {
  uint32_t abi;        /* REDOUBT_BACKEND_ABI */
  uint32_t table_size; /* sizeof this table */
  const char* name;    /* "ONNX" */
  const char* version; /* the vendor library's */

  /* Once, before anything else. `host` stays valid. */
  int32_t (*start)(const redoubt_host* host, redoubt_error* error);

  int32_t (*load)(const redoubt_model_source* source, redoubt_model** model, redoubt_error* error);
  void (*unload)(redoubt_model* model); /* no run of it may be in progress */

  uint64_t (*input_count)(const redoubt_model* model);
  uint64_t (*output_count)(const redoubt_model* model);
  const redoubt_io* (*input)(const redoubt_model* model, uint64_t index);
  const redoubt_io* (*output)(const redoubt_model* model, uint64_t index);
  /* About what the loaded model holds, its weights above all, whether or not it came from host.allocate. */
  uint64_t (*memory)(const redoubt_model* model);

  redoubt_run* (*run_create)(redoubt_error* error); /* null when there is no memory */
  /* Blocks until done. `inputs` and `outputs` have as many elements as the model. On failure no output is set. */
  int32_t (*run)(redoubt_model* model, redoubt_run* run, const redoubt_view* inputs, redoubt_output* outputs,
                 redoubt_error* error);
  /* Asks a run in progress, or about to begin, to stop soon. Null where the vendor cannot. */
  void (*run_cancel)(redoubt_run* run);
  void (*run_free)(redoubt_run* run);

  /* All that models and runs hold, by the backend's own count; how often host.allocate was called. */
  uint64_t (*memory_total)(void);
  uint64_t (*allocation_count)(void);

  /* For vendors that cannot be stopped once they run: before run(), the longest time it may take, after which it ends
   * with REDOUBT_CANCELLED; 0: no limit. Null where there is run_cancel, or neither. */
  void (*run_limit)(redoubt_run* run, int64_t limit_ms);

  /* For models of which only a run tells how many outputs they have (a list, a dict): 1 for such a model, whose
   * output_count is 0 and which is run by run_counting instead of run: up to `capacity` outputs, their number in
   * *output_count. Both null where there is no such model. */
  int32_t (*counts_outputs_by_run)(const redoubt_model* model);
  int32_t (*run_counting)(redoubt_model* model, redoubt_run* run, const redoubt_view* inputs, redoubt_output* outputs,
                          uint64_t capacity, uint64_t* output_count, redoubt_error* error);

  /* The version of the operators that the model is written in, 0 where it says none. Null where there is no such
   * thing. */
  int64_t (*opset)(const redoubt_model* model);

  const redoubt_script_table* scripts; /* null where there is no language for them */
} redoubt_backend_v1;

typedef const redoubt_backend_v1* (*redoubt_backend_get_fn)(void);

#ifdef __cplusplus
}
#endif

#endif /* REDOUBT_INFER_BACKEND_API_H_ */

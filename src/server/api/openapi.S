/* openapi.json inside the program. */
    .section .rodata
    .global redoubt_openapi_begin
    .global redoubt_openapi_end
    .hidden redoubt_openapi_begin
    .hidden redoubt_openapi_end
redoubt_openapi_begin:
    .incbin "openapi.json"
redoubt_openapi_end:
    .byte 0
    .section .note.GNU-stack, "", @progbits

"""How a transcript looks as a page: light and dark, without scripts, and on paper."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1c1f23;--faint:#626a73;--line:#dfe3e8;--tint:#f5f7f9;--you:#0b6e4f;
--agent:#1f5fbf;--tool:#7a4fb5;--bad:#b3261e;--was:#fde8e6;--is:#e3f5e9}
@media(prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e4e7eb;--faint:#98a1ab;--line:#30363d;--tint:#1d2126;
--you:#57c79a;--agent:#79adff;--tool:#c4a3f5;--bad:#ff8d85;--was:#41201e;--is:#16351f}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1rem 6rem;max-width:60rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem;overflow-wrap:anywhere}
h1,dd,summary,.text,pre{unicode-bidi:plaintext}
header dl,.input{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.15rem 1rem;margin:0}
dt{color:var(--faint)}
dd{margin:0;overflow-wrap:anywhere}
.input{grid-template-columns:minmax(0,1fr)}
.input dt{font-size:.85rem}
.show{margin:1.5rem 0 1rem;color:var(--faint);font-size:.9rem}
label.show{margin-right:1rem}
article{border-top:1px solid var(--line);padding:.6rem 0;overflow-wrap:anywhere}
article>h2,summary{font-size:.85rem;margin:0 0 .25rem;color:var(--faint)}
article>h2 a,summary a{color:inherit;text-decoration:none;font-weight:400}
article>h2 a:hover,summary a:hover{text-decoration:underline}
article:target{background:var(--tint);outline:2px solid var(--agent);outline-offset:.25rem}
summary{cursor:pointer;margin:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.prompt h2,.command h2,.steering h2,.queued h2,.bash h2{color:var(--you)}
.assistant h2{color:var(--agent)}
.toolCall summary b{color:var(--tool)}
.error summary b{color:var(--bad)}
.text,pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;tab-size:4}
.prompt .text,.command .text,.steering .text{background:var(--tint);padding:.6rem .8rem;border-radius:.4rem}
pre{max-height:40rem;overflow:auto;font:.82rem/1.45 ui-monospace,monospace;background:var(--tint);padding:.6rem .8rem;
border-radius:.4rem}
.was{background:var(--was)}
.is{background:var(--is)}
img{display:block;max-width:100%;max-height:40rem;margin:.5rem 0;border:1px solid var(--line)}
.agent{margin:.5rem 0;padding:.4rem .8rem;border:1px solid var(--line);
border-left:4px solid var(--tool);border-radius:.4rem}
.note{color:var(--faint);font-size:.85rem}
#tools:not(:checked)~main .tool,#thoughts:not(:checked)~main .thinking,#others:not(:checked)~main .other{display:none}
@media print{.show{display:none}pre{max-height:none}article{break-inside:avoid-page}}
"""

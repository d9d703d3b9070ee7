import type { BotTexts } from './bots-en.ts';

export const bots: BotTexts = {
  botSignInTitle: '¿Iniciar sesión en {bot}?',
  botSignInMeans: '{bot} pide actuar por usted en el chat que le ha traído aquí ({channel}).',
  botSignInAt: 'En {api} puede:',
  botSignInOnly:
    'Continúe solo si acaba de pedirlo usted mismo, en su propio chat. Si alguien le ha enviado este enlace, cierre la página.',
  botSignInAs: 'Ha iniciado sesión como {person}.',
  botSignInAllow: 'Iniciar sesión allí',
  botSignInRefuse: 'No iniciar sesión',
  botCodeTitle: 'Escriba este código en el chat',
  botCodeMeans: 'Vale durante cinco minutos y una sola vez.',
  botCodeKeep: 'No lo dé a nadie: quien lo tenga actúa como usted en su chat.',
  botDoneTitle: 'Ha iniciado sesión en {bot}',
  botDoneMeans: 'Vuelva al chat. Puede cerrar esta página.',
  botRefusedTitle: 'No ha iniciado sesión en {bot}',
  botRefusedMeans: 'El chat continúa sin ella. Puede cerrar esta página.',
  botOtherTitle: 'Este chat es de otra persona',
  botOtherMeans: 'Otra persona de su organización lo usa con {bot}. Abra un chat propio e inicie sesión desde allí.',
};
